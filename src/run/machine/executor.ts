/** Where batches are measured: in threads or processes of their own, so that the one which waits for them hears signals. */
import { availableParallelism } from 'node:os';
import { MessageChannel } from 'node:worker_threads';
import type { BackendName } from '../../backends.js';
import type { BatchOutcome, Executor } from '../task.js';

/** Workers that pay: one backend each, on its own core. */
export function defaultWorkers(): number {
  return Math.max(1, Math.min(8, availableParallelism()));
}

/**
 * A pool of threads, or of processes for the native backend, which fails in a second thread. With no worker it is this
 * very thread, which then hears nothing, no signal either, while it measures a batch.
 */
export async function openExecutor(workers: number, backend: BackendName): Promise<Executor> {
  if (workers === 0) return openThisThread();
  return backend === 'native'
    ? (await import('./process-pool.js')).openProcesses(workers)
    : openPool(workers);
}

function openThisThread(): Executor {
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  return {
    run: (task, keep, onSteps) => {
      // One after the other, with a turn of the event loop between.
      const measured = last.then(async () => {
        await new Promise((resolve) => setImmediate(resolve));
        if (isClosed) throw new Error('the run was stopped');
        const { measureTask } = await import('../measure-task.js');
        await keep(await measureTask(task, onSteps));
      });
      last = measured.catch(() => undefined);
      return measured;
    },
    close: async () => {
      isClosed = true;
      await last;
    },
  };
}

async function openPool(workers: number): Promise<Executor> {
  const { Piscina } = await import('piscina');
  const pool = new Piscina({
    filename: new URL('./worker.js', import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= pool.destroy();
    return closed;
  };
  // Piscina starts no more workers when one dies before its first batch; what waits would wait for ever.
  pool.on('workerDestroy', () =>
    setImmediate(() => {
      if (pool.threads.length === 0) void close();
    }),
  );
  return {
    run: async (task, keep, onSteps) => {
      if (closed) throw new Error('no worker starts');
      const { port1, port2: port } = new MessageChannel();
      port1.on('message', onSteps);
      // What is waited for is the batch.
      port1.unref();
      try {
        await keep((await pool.run({ task, port }, { transferList: [port] })) as BatchOutcome);
      } finally {
        port1.close();
      }
    },
    close,
  };
}
