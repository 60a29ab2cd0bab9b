/** What a worker thread runs. */
import type { MessagePort } from 'node:worker_threads';
import { measureTask } from '../measure-task.js';
import type { MeasureTask } from '../task.js';

export default async function worker({ task, port }: { task: MeasureTask; port: MessagePort }) {
  try {
    return await measureTask(task, (taken) => port.postMessage(taken));
  } finally {
    port.close();
  }
}
