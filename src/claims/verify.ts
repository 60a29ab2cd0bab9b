/** Measures claims over worker threads. */
import { Piscina } from 'piscina';
import type { Verdict } from './claim.js';

/**
 * Verdicts on claims, in their order.
 *
 * @param onVerdict is told of each as it is found, in any order.
 */
export async function verifyClaims(
  ids: readonly string[],
  workers: number,
  onVerdict: (verdict: Verdict) => void = () => {},
): Promise<Verdict[]> {
  const threads = Math.max(1, Math.min(workers, ids.length));
  const pool = new Piscina({
    filename: new URL('./worker.js', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
  });
  try {
    // From the last on: what the paper says later takes longer to measure, and should not be waited for in the end.
    const last = ids.map((_, i) => ids.length - 1 - i);
    const verdicts = new Array<Verdict>(ids.length);
    await Promise.all(
      last.map(async (i) => {
        verdicts[i] = (await pool.run(ids[i]!)) as Verdict;
        onVerdict(verdicts[i]!);
      }),
    );
    return verdicts;
  } finally {
    await pool.destroy();
  }
}
