// Which modules of a built program its entries lead to.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Paths of the modules in a folder that some of them, `entries`, import, and of these. */
export function reachable(folder, entries) {
  const seen = new Set();
  const visit = (path) => {
    // Comments of the packages that are within name modules of theirs.
    if (seen.has(path) || !existsSync(path)) return;
    seen.add(path);
    const source = readFileSync(path, 'utf8');
    for (const [, from] of source.matchAll(/(?:from|import\(|import)\s*["'](\.[^"']+\.js)["']/g))
      visit(join(dirname(path), from));
  };
  for (const entry of entries) visit(join(folder, entry));
  return seen;
}
