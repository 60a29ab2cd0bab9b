/** Measures claims over worker threads. */
import { Piscina } from 'piscina';
import type { Examined } from './claim.js';
import { CLAIMS } from './claims.js';
import type { ClaimsTask } from './examiner.js';

/** A claim with the draws of one seed. */
export interface Question {
  readonly id: string;
  readonly seed: number;
}

/**
 * Answers to questions, in their order.
 *
 * @param onExamined is told of each as it is found, in any order.
 */
export async function examineClaims(
  questions: readonly Question[],
  workers: number,
  onExamined: (examined: Examined, question: Question) => void = () => {},
): Promise<Examined[]> {
  const tasks = tasksOf(questions);
  const threads = Math.max(1, Math.min(workers, tasks.length));
  const pool = new Piscina({
    filename: new URL('./examiner.js', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
  });
  const found = new Map<string, Examined>();
  const keyOf = ({ id, seed }: Question) => `${id} ${seed}`;
  try {
    await Promise.all(
      tasks.map(async (task) => {
        const examined = (await pool.run(task)) as Examined[];
        task.ids.forEach((id, i) => {
          const question = { id, seed: task.seed };
          found.set(keyOf(question), examined[i]!);
          onExamined(examined[i]!, question);
        });
      }),
    );
    return questions.map((question) => found.get(keyOf(question))!);
  } finally {
    await pool.destroy();
  }
}

/** Claims that share evidence are one task; from the last on, as what the paper says later takes longer to measure. */
function tasksOf(questions: readonly Question[]): ClaimsTask[] {
  const tasks = new Map<string, { ids: string[]; seed: number }>();
  for (const { id, seed } of questions) {
    const shared = CLAIMS.find((claim) => claim.id === id)?.shares;
    const key = `${seed} ${shared ? `shared ${shared}` : id}`;
    const task = tasks.get(key);
    if (task) task.ids.push(id);
    else tasks.set(key, { ids: [id], seed });
  }
  return [...tasks.values()].reverse();
}
