import { expect, test } from 'vitest';
import { type AXES, AXIS_NAMES, entryOf } from './axes.js';
import { trainedLayers } from './train.js';

test('no two axes share a column, a symbol, a place in the file or a label in keys', () => {
  const entries = AXIS_NAMES.map(entryOf);
  const facts = [
    entries.flatMap(({ column, formulaColumn }) => [column, ...(formulaColumn ? [formulaColumn] : [])]),
    entries.flatMap(({ symbol }) => symbol ?? []),
    entries.map(({ path }) => path.join('.')),
    entries.map(({ key }) => key).filter((key) => key !== ''),
  ];
  for (const names of facts) expect(new Set(names).size).toBe(names.length);
});

test('what is read before others see it stands before them', () => {
  const at = (axis: keyof typeof AXES) => AXIS_NAMES.indexOf(axis);
  for (const axis of ['depth', 'width', 'inputWidth', 'outputWidth', 'samples'] as const) {
    expect(at(axis)).toBeLessThan(at('branchScale'));
  }
  expect(at('architecture')).toBeLessThan(at('branchScale'));
  expect(Math.max(at('branchScale'), at('activation'))).toBeLessThan(Math.min(at('scaling'), at('stepSize')));
});

test.each([
  ['hidden', 'hidden'],
  ['all', 'all'],
  [['output', 'input'], 'input+output'],
  [[5, 'input', 2], 'input+2+5'],
  [[1, 3], 'input+3'],
  [['hidden'], 'hidden'],
  [['output', 'hidden', 1], 'all'],
] as const)('layers %j that learn are called %s', (train, text) => {
  expect(trainedLayers(train)).toBe(text);
});
