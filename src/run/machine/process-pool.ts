/** Child processes that measure batches, for a backend that fails in a second thread of one process. */
import { type ChildProcess, fork } from 'node:child_process';
import type { BackendName } from '../../backends.js';
import type { BatchOutcome, Executor, MeasureTask, OnSteps } from '../task.js';
import type { Answer, Question } from './process-worker.js';

interface Waiting {
  readonly task: MeasureTask;
  readonly onSteps: OnSteps;
  readonly resolve: (outcome: BatchOutcome) => void;
  readonly reject: (error: Error) => void;
}

function startChild(): ChildProcess {
  const path = new URL('./process-worker.js', import.meta.url);
  // Measurements are Float64Arrays, which the default, JSON, would not carry.
  return fork(path, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/**
 * Version of a backend that a process of its own has loaded and tried: a library that ends its process, or cannot be
 * interrupted, does so there.
 *
 * @throws Error when it does not load.
 */
export async function tryInProcess(open: BackendName): Promise<string> {
  const child = startChild();
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      child.once('message', resolve).once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(endOf(code, signal))));
      child.send({ open } satisfies Question);
    });
    if ('version' in answer) return answer.version;
    throw new Error('error' in answer ? answer.error : 'no answer');
  } finally {
    child.kill('SIGKILL');
  }
}

const endOf = (code: number | null, signal: string | null) =>
  `a worker process ended with ${signal ?? `exit code ${code}`}`;

/** A pool of at most so many children, begun when there is a batch for them; one that dies takes its batch alone with it. */
export function openProcesses(count: number): Executor {
  const queue: Waiting[] = [];
  const idle: ChildProcess[] = [];
  const alive = new Map<ChildProcess, Promise<void>>();
  let isClosed = false;

  function next(): void {
    while (!isClosed && queue.length > 0 && (idle.length > 0 || alive.size < count)) {
      measure(idle.pop() ?? start(), queue.shift()!);
    }
  }

  function start(): ChildProcess {
    const child = startChild();
    const gone = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    alive.set(
      child,
      gone.then(() => {
        alive.delete(child);
        if (idle.includes(child)) idle.splice(idle.indexOf(child), 1);
        next();
      }),
    );
    return child;
  }

  function measure(child: ChildProcess, { task, onSteps, resolve, reject }: Waiting): void {
    const answered = (answer: Answer) => {
      if ('taken' in answer) {
        onSteps(answer.taken);
        return;
      }
      end();
      idle.push(child);
      if ('outcome' in answer) resolve(answer.outcome);
      else reject(new Error('error' in answer ? answer.error : 'no outcome'));
      next();
    };
    const died = (code: number | null, signal: string | null) => {
      end();
      reject(new Error(endOf(code, signal)));
    };
    const failed = (error: Error) => {
      end();
      reject(error);
    };
    const end = () => {
      child
        .off('message', answered as never)
        .off('exit', died)
        .off('error', failed);
    };
    child
      .on('message', answered as never)
      .on('exit', died)
      .on('error', failed);
    child.send({ task } satisfies Question, (error) => {
      // A child that dies tells so by its exit too; what cannot be sent is told here alone.
      if (error && child.connected) failed(error);
    });
  }

  return {
    run: async (task, keep, onSteps) => {
      const outcome = await new Promise<BatchOutcome>((resolve, reject) => {
        if (isClosed) throw new Error('the run was stopped');
        queue.push({ task, onSteps, resolve, reject });
        next();
      });
      await keep(outcome);
    },
    close: async () => {
      isClosed = true;
      for (const { reject } of queue.splice(0)) reject(new Error('the run was stopped'));
      for (const child of alive.keys()) child.kill('SIGKILL');
      await Promise.all(alive.values());
    },
  };
}
