/** What a worker process runs: one batch for each message, until its parent is gone. */
import { measureTask } from './measure-task.js';
import type { BatchOutcome, MeasureTask } from './task.js';

export type Answer = { readonly outcome: BatchOutcome } | { readonly error: string };

// An interrupt from the terminal goes to all processes; the parent ends this one when it has put its work in order.
process.on('SIGINT', () => {});

process.on('message', (task: MeasureTask) => {
  measureTask(task).then(
    (outcome) => answer({ outcome }),
    (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
  );
});

function answer(message: Answer): void {
  // Nobody is there to be told when the parent has died.
  if (process.connected) process.send!(message);
}
