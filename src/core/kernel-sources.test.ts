import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');
const sources = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.as.ts'));

// Without the compiler; with it `npm run check` compares the bytes.
test.each(sources)('the committed kernel is of %s as it is now: npm run kernel writes it', (name) => {
  const sum = createHash('sha256').update(read(name)).digest('hex');
  expect(read(name.replace('.as.ts', '-kernel.generated.ts'))).toContain(`\n// ${sum}\n`);
});
