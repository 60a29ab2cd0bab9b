/** Whether two samples are of one law, for tests. */

/** P(D > d) of the two-sample Kolmogorov-Smirnov statistic, asymptotic with Stephens's correction. */
export function kolmogorovSmirnov(x: readonly number[], y: readonly number[]): number {
  const [a, b] = [x, y].map((sample) => [...sample].sort((s, t) => s - t)) as [number[], number[]];
  let [i, j, d] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!);
    while (a[i] === value) i++;
    while (b[j] === value) j++;
    d = Math.max(d, Math.abs(i / a.length - j / b.length));
  }
  const size = Math.sqrt((a.length * b.length) / (a.length + b.length));
  const lambda = (size + 0.12 + 0.11 / size) * d;
  if (lambda < 0.3) return 1;
  let p = 0;
  for (let k = 1; k <= 100; k++) p += 2 * (-1) ** (k - 1) * Math.exp(-2 * (k * lambda) ** 2);
  return Math.min(1, p);
}
