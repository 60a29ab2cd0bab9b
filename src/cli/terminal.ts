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

type Paint = (text: string) => string;

export interface Terminal {
  /** Characters in a line of stdout; undefined where it is no terminal. */
  readonly columns: number | undefined;
  /** Text for stdout in a colour, where it is a terminal that has colours. */
  readonly green: Paint;
  readonly yellow: Paint;
  readonly red: Paint;
  /** Whether stderr is a terminal, on which a line can be written anew. */
  readonly isLive: boolean;
  /** Writes the last line of stderr anew. */
  rewriteLine(text: string): void;
  /** The terminal itself, for text that has nothing of a file in it. */
  open(): WriteStream;
}

/** None: text is plain, and as long as it is. */
export const NO_TERMINAL: Terminal = {
  columns: undefined,
  green: (text) => text,
  yellow: (text) => text,
  red: (text) => text,
  isLive: false,
  rewriteLine: () => {},
  open: () => {
    throw new Error('there is no terminal');
  },
};

/** That of the program, in its thread. */
export function terminalOfThread(data = workerData as ThreadData | null): Terminal {
  const mark = data?.mark;
  if (mark === undefined) return NO_TERMINAL;
  const paint = (code: number) => (text: string) =>
    pc.isColorSupported && isatty(1) ? `${mark}${code}m${text}${mark}39m` : text;
  return {
    columns: data!.columns,
    green: paint(32),
    yellow: paint(33),
    red: paint(31),
    isLive: isatty(2),
    rewriteLine: (text) => void process.stderr.write(`${mark}G${mark}K${text}`),
    open: () => new WriteStream(2),
  };
}
