import { expect, test } from 'vitest';
import { prefersNative } from './backend.js';
import type { Batch } from './planned-batch.js';

const batch = (over: Partial<Batch> = {}): Batch => ({
  cells: [0],
  width: 400,
  samples: 200,
  weights: 'dense',
  bytes: 1e6,
  hostBytes: 0,
  cost: 1000,
  ...over,
});

test('auto prefers native for dense weights of width 200 and more with 50 samples and more', () => {
  expect(prefersNative([batch({ samples: 50, width: 200 })])).toBe(true);
  expect(prefersNative([batch({ samples: 49 })])).toBe(false);
  expect(prefersNative([batch({ samples: 50, width: 199 })])).toBe(false);
  expect(prefersNative([batch({ samples: 50, weights: 'matrix-free' })])).toBe(false);
});

test('auto prefers wasm where the work does not pay for loading the library, or is not most of all', () => {
  expect(prefersNative([batch({ cost: 100 })])).toBe(false);
  expect(prefersNative([batch(), batch({ width: 50, cost: 1500 })])).toBe(false);
});

test('auto prefers native for what wasm cannot address', () => {
  expect(prefersNative([batch({ samples: 1, bytes: 5e9, weights: 'matrix-free' })])).toBe(true);
});
