/** The data of a network, drawn from its seed. */
import { largest } from './extremes.js';
import type { Shape } from './lane.js';
import { norm } from './measure.js';
import { type GaussianSampler, ROLE, type Seed } from './random.js';

/** The law of the data (x, y). */
export interface DataLaw {
  /** x: iid N(0, scale^2), or rows of norm `scale` in uniform directions; or scale e_i with i uniform, the sparse setting. */
  readonly input: {
    readonly law: 'normal' | 'one-hot';
    readonly scale: number;
    readonly normalize: 'none' | 'unit-norm';
  };
  /** y: N(0, 1); a constant; y_i = cos(pi x_i) for i = 1 .. k; or e_j with j uniform. */
  readonly target:
    | { readonly law: 'normal' | 'cosine' | 'one-hot' }
    | { readonly law: 'constant'; readonly value: number };
}

/** x, [n, d], and y, [n, k]; float32, a row for each sample. */
export function drawData(
  sampler: GaussianSampler,
  seed: Seed,
  { input: inputLaw, target: targetLaw }: DataLaw,
  { samples, inputWidth: d, outputWidth: k }: Pick<Shape, 'samples' | 'inputWidth' | 'outputWidth'>,
): { input: Float32Array; target: Float32Array } {
  const draw = (role: number, count: number, scale: number) => {
    const numbers = new Float32Array(count);
    sampler.fill(numbers, { streams: [{ seed, role, layer: 0 }], scales: [scale] });
    return numbers;
  };
  const isOneHot = inputLaw.law === 'one-hot';
  const input = draw(ROLE.INPUT, samples * d, isOneHot ? 1 : inputLaw.scale);
  if (isOneHot) eachRow(input, d, (row) => oneHot(row, inputLaw.scale));
  else if (inputLaw.normalize === 'unit-norm') eachRow(input, d, (row) => rescale(row, inputLaw.scale));
  switch (targetLaw.law) {
    case 'normal':
      return { input, target: draw(ROLE.TARGET, samples * k, 1) };
    case 'one-hot': {
      const target = draw(ROLE.TARGET, samples * k, 1);
      eachRow(target, k, (row) => oneHot(row, 1));
      return { input, target };
    }
    case 'constant':
      return { input, target: new Float32Array(samples * k).fill(targetLaw.value) };
    case 'cosine': {
      const target = new Float32Array(samples * k);
      for (let i = 0; i < target.length; i++) {
        target[i] = Math.cos(Math.PI * input[Math.floor(i / k) * d + (i % k)]!);
      }
      return { input, target };
    }
  }
}

function eachRow(values: Float32Array, length: number, act: (row: Float32Array) => void): void {
  for (let start = 0; start < values.length; start += length) act(values.subarray(start, start + length));
}

/** Gives a row the norm `length`; squares of float32 numbers neither vanish nor overflow in float64. */
function rescale(row: Float32Array, length: number): void {
  const factor = norm(row);
  for (let j = 0; j < row.length; j++) row[j] = (length * row[j]!) / factor;
}

/** The place of the largest of iid numbers is uniform. */
function oneHot(row: Float32Array, value: number): void {
  const at = row.indexOf(largest(row));
  row.fill(0);
  row[at] = value;
}
