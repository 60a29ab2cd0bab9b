import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const READMES = execFileSync('git', ['ls-files', '*README.md'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

test('every number of the READMEs that a table, a verdict or the bench has is theirs: node scripts/readme.mjs', async () => {
  const { readmes } = (await import(join(ROOT, 'scripts/readme.mjs'))) as {
    readmes: () => ReadonlyMap<string, string>;
  };
  for (const [path, text] of readmes()) expect(read(path), path).toBe(text);
});

describe.each(READMES)('%s', (path) => {
  const text = read(path);

  test('is short', () => {
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(path === 'README.md' ? 200 : 300);
    if (path === 'README.md') expect(Buffer.byteLength(text)).toBeLessThanOrEqual(16_000);
  });

  test('leads only to what is there', () => {
    const links = Array.from(text.matchAll(/\]\(([^)#\s]+)\)/g), ([, link]) => link!);
    const inside = links.filter((link) => !link.startsWith('http'));
    expect(inside.filter((link) => !existsSync(join(ROOT, dirname(path), link)))).toEqual([]);
  });
});
