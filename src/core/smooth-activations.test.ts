import type { Tensor3D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { ACTIVATION_NAMES, type ActivationName, activationEntry } from '../activations.js';
import { ACTIVATIONS } from './activation.js';
import { type Backend, openBackend } from './backend.js';
import { ACTIVATIONS as EXACT } from './oracle/functions.js';

let backend: Backend;
beforeAll(async () => {
  backend = await openBackend(inject('backend'));
});

const SMOOTH = ACTIVATION_NAMES.filter((name) => EXACT[name].isSmooth);
const OPERATIONS = ['value', 'tangent', 'bend', 'difference'] as const;
type Operation = (typeof OPERATIONS)[number];

/** The operation by the backend, entry by entry of f and t. */
function on(name: ActivationName, operation: Operation, f: Float32Array, t: Float32Array): Float32Array {
  const [x, y] = [f, t].map((values) => backend.upload(values, [1, 1, values.length]) as Tensor3D);
  const result = ACTIVATIONS[name][operation]!(x!, y!);
  const values = result.dataSync<'float32'>().slice();
  for (const tensor of [x!, y!, result]) tensor.dispose();
  return values;
}

/** The same in float64. */
function exactly(name: ActivationName, operation: Operation, f: number, t: number): number {
  const { value, slope, difference } = EXACT[name];
  if (operation === 'value') return value(f);
  if (operation === 'tangent') return slope(f) * t;
  return operation === 'difference' ? difference(f, t) : activationEntry(name).bend!(f) * t;
}

/** Uniform numbers of a seed, in [0, 1): the same in every engine. */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** Pairs of every size: those of a network, tails, the least and the largest; changes far smaller and far larger; and across 0. */
function pairs(count: number): { readonly f: Float32Array; readonly t: Float32Array } {
  const uniform = uniforms(7);
  const anywhere = (from: number, to: number) =>
    (uniform() < 0.5 ? -1 : 1) * 10 ** (from + (to - from) * uniform());
  const f = Float32Array.from({ length: count }, (_, i) =>
    i % 3 === 0 ? 8 * (uniform() - 0.5) : i % 3 === 1 ? anywhere(-3, 1.5) : anywhere(-35, 12),
  );
  const t = f.map((x, i) => {
    if (i % 4 === 0) return uniform() - 0.5;
    if (i % 4 === 1) return x * anywhere(-30, 10);
    return i % 4 === 2 ? -x * (1 + anywhere(-7, 0)) : anywhere(-10, 3);
  });
  return { f, t };
}

/** Half of the least float32. */
const LEAST = 7.1e-46;

describe.each(SMOOTH)('%s', (name) => {
  test.each(OPERATIONS)(
    'has its %s to the rounding of float32, of states and changes of any size',
    (operation) => {
      const { f, t } = pairs(6000);
      const result = on(name, operation, f, t);
      const wrong: string[] = [];
      result.forEach((value, i) => {
        const exact = exactly(name, operation, f[i]!, t[i]!);
        const isBeyond = Math.abs(exact) > 3.4028234e38;
        if (
          isBeyond ? Math.abs(value) < 3.4e38 : !(Math.abs(value - exact) <= 7e-8 * Math.abs(exact) + LEAST)
        )
          wrong.push(`${f[i]}, ${t[i]}: ${value} for ${exact}`);
      });
      expect(wrong).toEqual([]);
    },
  );

  test('keeps the digits where its slope, or its difference, has a zero', () => {
    // Around the least value of those that have one; the zero is known to 1e-16, and so is the slope.
    const { slope, difference } = EXACT[name];
    const f = Float32Array.from({ length: 4001 }, (_, i) => -1.3 + (i - 2000) * 3e-4);
    const t = f.map((_, i) => 10 ** -(i % 11));
    on(name, 'tangent', f, t).forEach((value, i) => {
      expect(Math.abs(value - slope(f[i]!) * t[i]!)).toBeLessThan(1e-7 * Math.abs(value) + 1e-15 * t[i]!);
    });
    on(name, 'difference', f, t).forEach((value, i) => {
      const exact = difference(f[i]!, t[i]!);
      expect(Math.abs(value - exact)).toBeLessThan(1e-7 * Math.abs(value) + 1e-12 * t[i]!);
    });
  });

  test('what is not a number stays so, and nothing becomes it', () => {
    const bad = [Number.NaN, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const t = [1, Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const result = on(name, 'difference', Float32Array.from(bad), Float32Array.from(t));
    expect(Array.from(result)).toEqual(bad.map(() => Number.NaN));
    expect(on(name, 'value', Float32Array.of(Number.NaN), Float32Array.of(1))[0]).toBeNaN();
    const large = [-3.4e38, -1e12, -88, 0, 88, 1e12, 3.4e38];
    const [f, df] = [large.flatMap((x) => large.map(() => x)), large.flatMap(() => large)];
    for (const operation of OPERATIONS) {
      const values = on(name, operation, Float32Array.from(f), Float32Array.from(df));
      expect(values.some(Number.isNaN)).toBe(false);
    }
  });

  test.runIf(inject('backend') === 'wasm')('has its limits at infinity', () => {
    const f = Float32Array.of(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    const isGated = EXACT[name].value(100) === 100;
    expect(Array.from(on(name, 'value', f, f), Math.abs)).toEqual(isGated ? [0, Infinity] : [1, 1]);
    expect(Array.from(on(name, 'tangent', f, Float32Array.of(2, 2)), Math.abs)).toEqual(
      isGated ? [0, 2] : [0, 0],
    );
    expect(Array.from(on(name, 'difference', Float32Array.of(0, 0), f), Math.abs)).toEqual(
      Array.from(on(name, 'value', f, f), Math.abs),
    );
  });

  test('an entry has the same bits wherever it stands, and whatever beside it', () => {
    const { f, t } = pairs(23);
    for (const operation of OPERATIONS) {
      const all = on(name, operation, f, t);
      for (const [first, end] of [
        [0, 1],
        [1, 2],
        [3, 8],
        [6, 12],
        [11, 23],
      ] as const)
        expect(on(name, operation, f.slice(first, end), t.slice(first, end))).toEqual(all.slice(first, end));
    }
  });
});
