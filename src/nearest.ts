/** Number of single-character insertions, deletions and replacements that turn `a` into `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Longer words are not misspellings, and comparing them costs time. */
const LONGEST_WORD = 64;

/**
 * The candidate most like a misspelt word, whatever its case; the first of equals.
 *
 * @param spelling what of a candidate the word may be meant for; all of it, unless told
 * @returns undefined when none is near: more than two edits, or more than four tenths of the word, away
 */
export function nearest(
  word: string,
  candidates: readonly string[],
  spelling: (candidate: string) => string = (candidate) => candidate,
): string | undefined {
  if (word.length > LONGEST_WORD) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(2, 0.4 * word.length) + 0.5;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), spelling(candidate).toLowerCase());
    // A word of three letters is three edits from any other.
    if (distance < bestDistance && distance < word.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
