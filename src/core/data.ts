/** The data of a network, drawn from its seed. */
import type { Shape } from './lane.js';
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
  { samples, inputWidth: d, outputWidth: k }: Shape,
): { input: Float32Array; target: Float32Array } {
  const draw = (role: number, count: number, scale: number) =>
    sampler.draw([{ seed, role, layer: 0 }], count, [scale]).slice();
  const input = draw(ROLE.INPUT, samples * d, inputLaw.scale);
  if (inputLaw.law === 'one-hot') eachRow(input, d, (row) => oneHot(row, inputLaw.scale));
  if (inputLaw.normalize === 'unit-norm') {
    eachRow(input, d, (row) => {
      const norm = Math.hypot(...row);
      row.forEach((x, j) => {
        row[j] = (inputLaw.scale * x) / norm;
      });
    });
  }
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
      const cosine = (_: unknown, i: number) => Math.cos(Math.PI * input[Math.floor(i / k) * d + (i % k)]!);
      return { input, target: Float32Array.from({ length: samples * k }, cosine) };
    }
  }
}

function eachRow(values: Float32Array, length: number, act: (row: Float32Array) => void): void {
  for (let start = 0; start < values.length; start += length) act(values.subarray(start, start + length));
}

/** The place of the largest of iid numbers is uniform. */
function oneHot(row: Float32Array, value: number): void {
  const at = row.indexOf(Math.max(...row));
  row.fill(0);
  row[at] = value;
}
