/** Exit codes of the program; on a signal it is 128 + the signal's number. */
export const EXIT = {
  fine: 0,
  /** Differences found, or a claim failed. */
  different: 1,
  /** The user's mistake. */
  misuse: 2,
  /** Some cells failed or diverged; the others are written. */
  incomplete: 3,
  /** A bug of ours. */
  bug: 70,
} as const;
