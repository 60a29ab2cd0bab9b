/** Progress on stderr: a bar with rate and time left on a terminal, nothing elsewhere. */
import cliProgress from 'cli-progress';
import type { Terminal } from './terminal.js';

export interface Progress {
  /** A share of the steps of a batch is taken. */
  advance(batch: Work, share: number): void;
  /** A batch is measured. */
  finish(batch: Work): void;
  /** Takes the bar away, so that other text can be written. */
  stop(): void;
}

/** Cells that are measured together, at an estimated cost. */
interface Work {
  readonly cells: readonly unknown[];
  readonly cost: number;
}

/** A bar over the estimated cost, which is even in time where cells are not. */
export function startProgress(cells: number, cost: number, { isLive, open }: Terminal): Progress {
  if (!isLive) return { advance: () => {}, finish: () => {}, stop: () => {} };
  const terminal = open();
  const started = performance.now();
  let done = 0;
  const bar = new cliProgress.SingleBar({
    stream: terminal,
    clearOnComplete: true,
    hideCursor: true,
    format: '{bar} {percentage}% | {cells}/{cellsTotal} cells | {rate} cells/s | {left} s left',
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
  });
  bar.start(cost, 0, { cells: 0, cellsTotal: cells, rate: '-', left: '-' });
  const shares = new Map<Work, number>();
  const moveTo = (batch: Work, share: number) => {
    bar.increment(batch.cost * (share - (shares.get(batch) ?? 0)));
    shares.set(batch, share);
    const seconds = (performance.now() - started) / 1000;
    const whole = bar.getProgress();
    bar.update({
      cells: done,
      rate: (done / seconds).toFixed(0),
      left: Math.ceil((seconds * (1 - whole)) / whole),
    });
  };
  return {
    advance: moveTo,
    finish: (batch) => {
      done += batch.cells.length;
      moveTo(batch, 1);
    },
    stop: () => {
      bar.stop();
      terminal.destroy();
    },
  };
}
