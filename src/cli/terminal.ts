/** What the program knows of the terminal, in whose thread it does not run. */
import { isatty, WriteStream } from 'node:tty';
import { workerData } from 'node:worker_threads';
import pc from 'picocolors';

/** What the thread of the program is given. */
export interface ThreadData {
  /** Stands for the beginning of a terminal's command, see `openDoor`. */
  readonly mark: string;
  /** Characters in a line of stdout; undefined where it is no terminal. */
  readonly columns: number | undefined;
}

const mark = (workerData as ThreadData | null)?.mark;

/** Characters in a line of stdout; undefined where it is no terminal. */
export const terminalWidth = (): number | undefined => (workerData as ThreadData | null)?.columns;

const painted = (code: number) => (text: string) =>
  mark !== undefined && pc.isColorSupported && isatty(1) ? `${mark}${code}m${text}${mark}39m` : text;

/** Text for stdout in a colour, where it is a terminal that has colours. */
export const green = painted(32);
export const yellow = painted(33);
export const red = painted(31);

/** Whether stderr is a terminal, on which a line can be written anew. */
export const hasTerminal = (): boolean => mark !== undefined && isatty(2);

/** Writes the last line of stderr anew. */
export function rewriteLine(text: string): void {
  process.stderr.write(`${mark}G${mark}K${text}`);
}

/** The terminal itself, for text that has nothing of a file in it. */
export const openTerminal = (): WriteStream => new WriteStream(2);
