/** SIGINT and SIGTERM: they end the program, at once or when the command that runs has put its work in order. */
import { constants } from 'node:os';
import { parentPort, type Worker } from 'node:worker_threads';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** What a command is given to put its work in order, and what a thread is given to end; ms. */
const PATIENCE = { command: 1000, thread: 300 };

/**
 * Ends the process on a signal, with exit code 128 + its number: the thread of the program is told of the first, and
 * ended at the second, or when it has not come to its end by itself.
 */
export function endOnSignals(program: Worker): void {
  let isTold = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const code = 128 + constants.signals[signal];
      process.exitCode = code;
      if (isTold) return void end(signal, code);
      isTold = true;
      program.postMessage(code);
      setTimeout(() => void end(signal, code), PATIENCE.command).unref();
    });
  }

  async function end(signal: NodeJS.Signals, code: number): Promise<void> {
    // A thread that waits for another program, or is in foreign code, does not end: then the system ends the process.
    setTimeout(() => {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }, PATIENCE.thread);
    await program.terminate();
    process.exit(code);
  }
}

let controller: AbortController | undefined;

/** In the thread of the program, begins to listen; until `stopSignal` is called a signal ends it at once. */
export function listenForSignals(): void {
  parentPort
    ?.on('message', (code: number) => {
      if (!controller) process.exit(code);
      controller.abort(code);
    })
    .unref();
}

/** Aborted at the first signal, the exit code as the reason. */
export function stopSignal(): AbortSignal {
  controller ??= new AbortController();
  return controller.signal;
}
