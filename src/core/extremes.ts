/** Extremes of arrays of any length: `Math.max(...values)` overflows the stack beyond some 100,000 of them. */

/** The largest value; NaN where one is, and -Infinity of none, as `Math.max` has it. */
export function largest(values: ArrayLike<number>): number {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]!);
  return most;
}

/** The smallest value; NaN where one is, and Infinity of none, as `Math.min` has it. */
export function smallest(values: ArrayLike<number>): number {
  let least = Infinity;
  for (let i = 0; i < values.length; i++) least = Math.min(least, values[i]!);
  return least;
}
