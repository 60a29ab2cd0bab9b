/** The data of a network, drawn from its seed: by a law, or of the rows of a data set. */
import { largest } from './extremes.js';
import { norm } from './measurements/measure.js';
import { type GaussianSampler, ROLE, type Seed } from './random.js';
import type { Shape } from './step/lane.js';

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
  /** Rows that x and y are taken from, instead of being drawn. */
  readonly set?: DataSet | undefined;
}

/** Rows of data, row major. */
interface DataSet {
  readonly rows: number;
  /** [rows x d], as the file has them. */
  readonly inputs: Float32Array;
  /** [rows x k]. */
  readonly targets: Float32Array;
  /** Whether these are one-hot. */
  readonly hasClasses?: boolean;
  /** Whether every column of x is brought to mean 0 and standard deviation 1 over the samples that are learnt from. */
  readonly isStandardized: boolean;
}

/** x, [n, d], and y, [n, k]; float32, a row for each sample. */
export interface Samples {
  readonly input: Float32Array;
  readonly target: Float32Array;
}

const NONE: Samples = { input: new Float32Array(), target: new Float32Array() };

/**
 * Samples to learn from, and others that are held out: of a data set two parts of a permutation of its rows, which is the
 * cell's own; of a law as many more draws.
 *
 * @param shape n, d and k.
 */
export function drawSamples(
  sampler: GaussianSampler,
  seed: Seed,
  law: DataLaw,
  shape: Shape,
  heldOut = 0,
): { readonly samples: Samples; readonly heldOut: Samples } {
  const { samples: n, inputWidth: d, outputWidth: k } = shape;
  const part = ({ input, target }: Samples, first: number, end: number): Samples => ({
    input: input.subarray(first * d, end * d),
    target: target.subarray(first * k, end * k),
  });
  if (!law.set) {
    if (heldOut === 0) return { samples: drawData(sampler, seed, law, shape), heldOut: NONE };
    const all = drawData(sampler, seed, law, { ...shape, samples: n + heldOut });
    return { samples: part(all, 0, n), heldOut: part(all, n, n + heldOut) };
  }
  const { rows, inputs, targets, isStandardized } = law.set;
  const order = permutation(sampler, seed, ROLE.ROWS, 0, rows);
  const chosen = [...order.subarray(0, n), ...order.subarray(rows - heldOut)];
  const all = { input: rowsOf(inputs, d, chosen), target: rowsOf(targets, k, chosen) };
  if (isStandardized) standardize(all.input, d, n);
  const { scale, normalize } = law.input;
  eachRow(all.input, d, (row) => {
    if (normalize === 'unit-norm') rescale(row, scale);
    else for (let j = 0; j < d; j++) row[j]! *= scale;
  });
  return { samples: part(all, 0, n), heldOut: part(all, n, n + heldOut) };
}

/** The samples of some networks: those of one seed and one law are drawn once, and are the same arrays. */
export class SampleDraws {
  private readonly drawn = new Map<DataSet | undefined, Map<string, ReturnType<typeof drawSamples>>>();

  constructor(
    private readonly sampler: GaussianSampler,
    private readonly shape: Shape,
    private readonly heldOut = 0,
  ) {}

  of(seed: Seed, law: DataLaw): ReturnType<typeof drawSamples> {
    const { input, target, set } = law;
    const ofSet = this.drawn.get(set) ?? new Map<string, ReturnType<typeof drawSamples>>();
    this.drawn.set(set, ofSet);
    const key = JSON.stringify([seed, input, target]);
    const own = ofSet.get(key) ?? drawSamples(this.sampler, seed, law, this.shape, this.heldOut);
    ofSet.set(key, own);
    return own;
  }
}

/** Rows of a matrix with `width` columns. */
export function rowsOf(values: Float32Array, width: number, rows: ArrayLike<number>): Float32Array {
  const chosen = new Float32Array(rows.length * width);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i]! * width;
    for (let j = 0; j < width; j++) chosen[at++] = values[from + j]!;
  }
  return chosen;
}

/** A uniform permutation of 0 .. count - 1: the order of so many iid numbers. */
export function permutation(
  sampler: GaussianSampler,
  seed: Seed,
  role: number,
  layer: number,
  count: number,
): Int32Array {
  const keys = new Float32Array(count);
  sampler.fill(keys, { streams: [{ seed, role, layer }], scales: [1] });
  return Int32Array.from(keys, (_, i) => i).sort((i, j) => keys[i]! - keys[j]! || i - j);
}

/** Brings every column to mean 0 and standard deviation 1 over the first n rows; one that is constant there to 0. */
function standardize(values: Float32Array, width: number, n: number): void {
  for (let j = 0; j < width; j++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) sum += values[i * width + j]!;
    const mean = sum / n;
    for (let i = 0; i < n; i++) squares += (values[i * width + j]! - mean) ** 2;
    const deviation = Math.sqrt(squares / n);
    for (let at = j; at < values.length; at += width) {
      values[at] = deviation === 0 ? 0 : (values[at]! - mean) / deviation;
    }
  }
}

/** Samples by a law. */
export function drawData(
  sampler: GaussianSampler,
  seed: Seed,
  { input: inputLaw, target: targetLaw }: DataLaw,
  { samples, inputWidth: d, outputWidth: k }: Pick<Shape, 'samples' | 'inputWidth' | 'outputWidth'>,
): Samples {
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
  if (factor === 0) return;
  for (let j = 0; j < row.length; j++) row[j] = (length * row[j]!) / factor;
}

/** The place of the largest of iid numbers is uniform. */
function oneHot(row: Float32Array, value: number): void {
  const at = row.indexOf(largest(row));
  row.fill(0);
  row[at] = value;
}
