import { expect, test } from 'vitest';
import { InOrder } from './in-order.js';

test('what is said of a later one waits for those before it, and nothing is lost at the end', () => {
  const written: string[] = [];
  const lines = new InOrder(['a', 'b', 'c'], (text) => written.push(text));
  lines.say('b', 'b1');
  lines.finish('b');
  lines.say('a', 'a1');
  expect(written).toEqual(['a1']);
  lines.finish('a');
  expect(written).toEqual(['a1', 'b1']);
  lines.say('c', 'c1');
  expect(written).toEqual(['a1', 'b1', 'c1']);

  const cut = new InOrder(['a', 'b'], (text) => written.push(text));
  cut.say('b', 'b2');
  cut.end();
  expect(written.at(-1)).toBe('b2');
});
