/** What a worker process runs: one batch for each message, or one backend to be tried, until its parent is gone. */
import type { BackendName } from '../../backends.js';
import { measureTask } from '../measure-task.js';
import type { BatchOutcome, MeasureTask } from '../task.js';

export type Question = { readonly task: MeasureTask } | { readonly open: BackendName };
export type Answer =
  | { readonly outcome: BatchOutcome }
  /** Not the last: steps of the batch that are taken. */
  | { readonly taken: number }
  | { readonly version: string }
  | { readonly error: string };

// An interrupt from the terminal goes to all processes; the parent ends this one when it has put its work in order.
process.on('SIGINT', () => {});

process.on('message', (question: Question) => {
  reply(question).then(answer, (error: unknown) =>
    answer({ error: error instanceof Error ? error.message : String(error) }),
  );
});

async function reply(question: Question): Promise<Answer> {
  if ('task' in question) {
    return { outcome: await measureTask(question.task, (taken) => answer({ taken })) };
  }
  const { openBackend } = await import('../../core/backend.js');
  return { version: (await openBackend(question.open)).version };
}

function answer(message: Answer): void {
  // Nobody is there to be told when the parent has died.
  if (process.connected) process.send!(message);
}
