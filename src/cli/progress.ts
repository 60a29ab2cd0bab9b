/** Progress on stderr: a bar with rate and time left on a terminal, nothing elsewhere. */
import cliProgress from 'cli-progress';
import { hasTerminal, openTerminal } from './terminal.js';

export interface Progress {
  /** So many more cells are measured, at so much of the estimated cost. */
  add(cells: number, cost: number): void;
  /** Takes the bar away, so that other text can be written. */
  stop(): void;
}

/** A bar over the estimated cost, which is even in time where cells are not. */
export function startProgress(cells: number, cost: number, quiet: boolean): Progress {
  if (quiet || !hasTerminal()) return { add: () => {}, stop: () => {} };
  const terminal = openTerminal();
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
  return {
    add: (more, moreCost) => {
      done += more;
      bar.increment(moreCost);
      const seconds = (performance.now() - started) / 1000;
      const share = bar.getProgress();
      bar.update({
        cells: done,
        rate: (done / seconds).toFixed(0),
        left: Math.ceil((seconds * (1 - share)) / share),
      });
    },
    stop: () => {
      bar.stop();
      terminal.destroy();
    },
  };
}
