/** What a worker thread runs. */
import { measureTask } from './measure-task.js';
import type { MeasureTask } from './task.js';

export default function worker(task: MeasureTask) {
  return measureTask(task);
}
