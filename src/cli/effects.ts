/** What commands do to the world besides files: the program gives them what is here, a test what it likes to look at. */

import type { RenderedChart, RenderOptions, VegaLiteSpec } from '../charts/render.js';
import type { examineClaims } from '../claims/verify.js';
import { openExecutor } from '../run/machine/executor.js';
import { drawChart, prepareToDraw } from './drawing.js';
import { stopSignal } from './signals.js';
import { type Terminal, terminalOfThread } from './terminal.js';

export interface Effects {
  /** Text that was asked for; to stdout. */
  write(text: string): void;
  /** A line, or several, beside it; to stderr. */
  tell(line: string): void;
  readonly terminal: Terminal;
  /** Aborted at the first signal, the exit code as the reason. A command that has not called it ends at once. */
  stopSignal(): AbortSignal;
  /** Where batches are measured. */
  readonly openExecutor: typeof openExecutor;
  /** As `renderChart`, where a spec that is none of a friend does no harm. */
  readonly drawChart: (
    spec: VegaLiteSpec,
    table: string,
    options?: RenderOptions,
    stop?: AbortSignal,
  ) => Promise<RenderedChart>;
  /** Charts are to come. */
  prepareToDraw(): void;
  readonly examineClaims: typeof examineClaims;
}

/** Those of the program: streams, signals, threads and processes. */
export const programEffects = (): Effects => ({
  write: (text) => void process.stdout.write(text),
  tell: (line) => void process.stderr.write(`${line}\n`),
  terminal: terminalOfThread(),
  stopSignal,
  openExecutor,
  drawChart,
  prepareToDraw,
  examineClaims: async (questions, workers, onExamined) =>
    (await import('../claims/verify.js')).examineClaims(questions, workers, onExamined),
});

/** The same without a word, for `--quiet`. */
export const quietly = (effects: Effects, isQuiet: boolean | undefined): Effects =>
  isQuiet
    ? { ...effects, write: () => {}, tell: () => {}, terminal: { ...effects.terminal, isLive: false } }
    : effects;
