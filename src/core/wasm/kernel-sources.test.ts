import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect, test } from 'vitest';

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');
const files = readdirSync(new URL('.', import.meta.url), { recursive: true, encoding: 'utf8' }).map((path) =>
  path.replaceAll('\\', '/'),
);
const kernels = files.filter((name) => name.endsWith('-kernel.generated.ts'));
const sources = files.filter((name) => name.endsWith('.as.ts'));

// Without the compiler; with it `npm run check` compares the bytes.
test.each(sources)(
  'every kernel that is committed of %s is of it as it is now: npm run kernel writes it',
  (name) => {
    const sum = createHash('sha256').update(read(name)).digest('hex');
    const named = kernels
      .flatMap((kernel) => read(kernel).split('\n'))
      .filter((line) => line.endsWith(` ${name}`));
    expect(named.length).toBeGreaterThan(0);
    expect(new Set(named)).toEqual(new Set([`// ${sum} ${name}`]));
  },
);

test('a kernel names every source that it imports', () => {
  for (const kernel of kernels) {
    const named = [...read(kernel).matchAll(/^\/\/ \w+ (\S+\.as)\.ts$/gm)].map(([, name]) => name!);
    for (const name of named) {
      for (const [, imported] of read(`${name}.ts`).matchAll(/from '(\.\S+)'/g))
        expect(named).toContain(posix.join(posix.dirname(name), imported!));
    }
  }
});
