import { expect, test } from 'vitest';
import { type DataLaw, drawData } from './data.js';
import { norm } from './measurements/measure.js';
import { GaussianSampler } from './random.js';

const sampler = new GaussianSampler();
const SHAPE = { samples: 4000, width: 1, inputWidth: 5, outputWidth: 3 };

test('one-hot inputs and targets have one entry a row, each as often as another', () => {
  const { input, target } = drawData(
    sampler,
    [1, 2, 3, 4],
    { input: { law: 'one-hot', scale: 2, normalize: 'none' }, target: { law: 'one-hot' } },
    SHAPE,
  );
  for (const [values, length, value] of [
    [input, 5, 2],
    [target, 3, 1],
  ] as const) {
    const counts = new Array<number>(length).fill(0);
    for (let start = 0; start < values.length; start += length) {
      const row = values.subarray(start, start + length);
      expect([...row].sort()).toEqual([...new Array(length - 1).fill(0), value]);
      counts[row.indexOf(value)]! += 1;
    }
    const expected = SHAPE.samples / length;
    for (const count of counts) expect(Math.abs(count - expected)).toBeLessThan(4 * Math.sqrt(expected));
  }
});

test('inputs do not depend on the law of the targets', () => {
  const of = (law: 'normal' | 'cosine' | 'one-hot') =>
    drawData(
      sampler,
      [5, 6, 7, 8],
      { input: { law: 'normal', scale: 1, normalize: 'unit-norm' }, target: { law } },
      SHAPE,
    ).input;
  expect(of('one-hot')).toEqual(of('normal'));
  expect(of('cosine')).toEqual(of('normal'));
});

test('inputs of unit norm are scaled, and not left at norm 1', () => {
  const normOf = (scale: number) => {
    const data: DataLaw = {
      input: { law: 'normal', scale, normalize: 'unit-norm' },
      target: { law: 'normal' },
    };
    return norm(drawData(sampler, [5, 6, 7, 8], data, { ...SHAPE, samples: 1 }).input);
  };
  expect(normOf(1)).toBeCloseTo(1, 6);
  expect(normOf(2.5)).toBeCloseTo(2.5, 6);
});

test.each([1e-30, 1, 1e30])('inputs of unit norm have the norm %f, in the directions of norm 1', (scale) => {
  const at = (scale: number) =>
    drawData(
      sampler,
      [5, 6, 7, 8],
      { input: { law: 'normal', scale, normalize: 'unit-norm' }, target: { law: 'normal' } },
      { ...SHAPE, samples: 1 },
    ).input;
  expect(norm(at(scale)) / scale).toBeCloseTo(1, 6);
  at(scale).forEach((x, j) => {
    expect(x / scale).toBeCloseTo(at(1)[j]!, 6);
  });
});

test('sides of a million numbers have data, of every law', () => {
  const shape = { samples: 1, width: 1, inputWidth: 1_000_000, outputWidth: 1_000_000 };
  for (const input of [
    { law: 'one-hot', scale: 1e-30, normalize: 'none' },
    { law: 'normal', scale: 1, normalize: 'unit-norm' },
  ] as const) {
    for (const law of ['one-hot', 'normal', 'cosine'] as const) {
      const { input: x, target: y } = drawData(sampler, [1, 2, 3, 4], { input, target: { law } }, shape);
      expect(norm(x) / input.scale).toBeCloseTo(1, 5);
      expect(norm(y)).toBeGreaterThan(0.99);
    }
  }
});
