import { beforeAll, expect, test } from 'vitest';
import type { ModelData } from './data.js';
import { inspectModel } from './inspect.js';
import type { ModelLoss } from './loss-names.js';
import { openForModels, tf } from './model-under-test.js';

beforeAll(openForModels);

/**
 * Numbers of float64 with a derivative by a parameter s (a velocity), on a tape for derivatives by each of them: forward over reverse.
 * What inspects the model shares nothing with it but the weights.
 */
class Node {
  slope = 0;
  /** @param parents with the partial derivative by each. */
  constructor(
    readonly value: number,
    readonly velocity = 0,
    readonly parents: readonly (readonly [Node, number])[] = [],
  ) {}
}

let tape: Node[] = [];
const made = (value: number, velocity: number, parents: Node['parents']): Node => {
  const node = new Node(value, velocity, parents);
  tape.push(node);
  return node;
};
const leaf = (value: number, velocity = 0) => made(value, velocity, []);
/** A function of some nodes with its partial derivatives. */
const of = (value: number, ...parents: (readonly [Node, number])[]) =>
  made(
    value,
    parents.reduce((sum, [node, slope]) => sum + slope * node.velocity, 0),
    parents,
  );
const plus = (a: Node, b: Node) => of(a.value + b.value, [a, 1], [b, 1]);
const times = (a: Node, b: Node) => of(a.value * b.value, [a, b.value], [b, a.value]);
const scale = (a: Node, c: number) => of(a.value * c, [a, c]);
const total = (nodes: readonly Node[]) =>
  of(
    nodes.reduce((sum, { value }) => sum + value, 0),
    ...nodes.map((n) => [n, 1] as const),
  );
const exp = (a: Node) => of(Math.exp(a.value), [a, Math.exp(a.value)]);
const log = (a: Node) => of(Math.log(a.value), [a, 1 / a.value]);
const power = (a: Node, p: number) => of(a.value ** p, [a, p * a.value ** (p - 1)]);
const tanh = (a: Node) => of(Math.tanh(a.value), [a, 1 - Math.tanh(a.value) ** 2]);
const relu = (a: Node) => (a.value > 0 ? of(a.value, [a, 1]) : of(0));

function backward(loss: Node): void {
  loss.slope = 1;
  for (const node of [...tape].reverse())
    for (const [parent, slope] of node.parents) parent.slope += slope * node.slope;
}

type Matrix = readonly (readonly Node[])[];

const product = (x: Matrix, w: Matrix): Matrix =>
  x.map((row) => w[0]!.map((_, j) => total(row.map((entry, i) => times(entry, w[i]![j]!)))));
const each = (x: Matrix, f: (entry: Node) => Node): Matrix => x.map((row) => row.map(f));
const sum = (x: Matrix, y: Matrix): Matrix =>
  x.map((row, i) => row.map((entry, j) => plus(entry, y[i]![j]!)));
const transposed = (x: Matrix): Matrix => x[0]!.map((_, j) => x.map((row) => row[j]!));
const softmax = (row: readonly Node[]): Node[] => {
  const exps = row.map(exp);
  const inverse = power(total(exps), -1);
  return exps.map((e) => times(e, inverse));
};
/** Rows of mean 0 and variance 1, with the epsilon of the library, and their learnt scale and shift. */
const layerNorm = (x: Matrix, gain: readonly Node[], shift: readonly Node[]): Matrix =>
  x.map((row) => {
    const mean = scale(total(row), 1 / row.length);
    const centred = row.map((entry) => plus(entry, scale(mean, -1)));
    const variance = scale(total(centred.map((entry) => times(entry, entry))), 1 / row.length);
    const inverse = power(plus(variance, leaf(1e-3)), -0.5);
    return centred.map((entry, j) => plus(times(times(entry, inverse), gain[j]!), shift[j]!));
  });

/** Weights as matrices, by the name of the layer; a vector is a row. */
type Weights = Readonly<Record<string, readonly Matrix[]>>;
/** Features by the name of the layer, the last of them the output. */
type Features = Readonly<Record<string, Matrix>>;

interface Case {
  readonly loss: ModelLoss;
  readonly model: () => ReturnType<typeof tf.model>;
  readonly shape: readonly number[];
  readonly forward: (x: Matrix, weights: Weights) => Features;
}

const dense = (name: string, units: number, options: object = {}) =>
  tf.layers.dense({
    name,
    units,
    useBias: false,
    kernelInitializer: tf.initializers.randomNormal({ stddev: 0.6, seed: name.length + 7 * units }),
    ...options,
  });

class Mix extends tf.layers.Layer {
  static className = 'Mix';
  override computeOutputShape([, , value]: never[]) {
    return value as never;
  }
  override call(inputs: unknown) {
    const [q, k, v] = inputs as [never, never, never];
    return tf.matMul(tf.softmax(tf.matMul(q, k, false, true)), v) as never;
  }
}

const CASES: Readonly<Record<string, Case>> = {
  'an MLP of tanh and ReLU': {
    loss: 'squared',
    model: () =>
      tf.sequential({
        layers: [
          dense('a', 5, { activation: 'tanh', inputShape: [4] }),
          dense('bb', 5, { activation: 'relu' }),
          dense('c', 2),
        ],
      }) as never,
    shape: [3, 4],
    forward: (x, w) => {
      const a = each(product(x, w.a![0]!), tanh);
      const bb = each(product(a, w.bb![0]!), relu);
      return { a, bb, c: product(bb, w.c![0]!) };
    },
  },
  'a residual block with layer norm': {
    loss: 'cross-entropy',
    model: () => {
      const x = tf.input({ shape: [4] });
      const h = dense('embed', 5).apply(x) as never;
      const n = tf.layers.layerNormalization({ name: 'norm' }).apply(h) as never;
      const z = dense('branch', 5, { activation: 'tanh' }).apply(n) as never;
      const block = tf.layers.add({ name: 'block' }).apply([h, z]) as never;
      return tf.model({ inputs: x, outputs: dense('out', 3).apply(block) as never });
    },
    shape: [2, 4],
    forward: (x, w) => {
      const embed = product(x, w.embed![0]!);
      const [gain, shift] = w.norm!;
      const norm = layerNorm(embed, gain![0]!, shift![0]!);
      const branch = each(product(norm, w.branch![0]!), tanh);
      const block = sum(embed, branch);
      return { embed, norm, branch, block, out: product(block, w.out![0]!) };
    },
  },
  'attention over places': {
    loss: 'squared',
    model: () => {
      const x = tf.input({ shape: [3, 4] });
      const [q, k, v] = ['q', 'kk', 'vvv'].map((name) => dense(name, 4).apply(x)) as [never, never, never];
      const mix = new Mix({ name: 'mix' }).apply([q, k, v]) as never;
      return tf.model({ inputs: x, outputs: dense('out', 2).apply(mix) as never });
    },
    shape: [1, 3, 4],
    forward: (x, w) => {
      const [q, kk, vvv] = ['q', 'kk', 'vvv'].map((name) => product(x, w[name]![0]!)) as [
        Matrix,
        Matrix,
        Matrix,
      ];
      const mix = product(product(q, transposed(kk)).map(softmax), vvv);
      return { q, kk, vvv, mix, out: product(mix, w.out![0]!) };
    },
  },
};

const rows = (values: ArrayLike<number>, columns: number, velocities?: ArrayLike<number>): Matrix =>
  Array.from({ length: values.length / columns }, (_, i) =>
    Array.from({ length: columns }, (_, j) =>
      leaf(values[i * columns + j]!, velocities?.[i * columns + j] ?? 0),
    ),
  );

/** What float64 says of the layers: with the velocities of the weights, or all at rest. */
function reference(
  { forward, loss }: Case,
  x: readonly number[],
  columns: number,
  y: readonly number[],
  values: Readonly<
    Record<string, readonly { readonly values: readonly number[]; readonly columns: number }[]>
  >,
  velocities?: Readonly<Record<string, readonly (readonly number[])[]>>,
) {
  tape = [];
  const weights = Object.fromEntries(
    Object.entries(values).map(([name, all]) => [
      name,
      all.map((weight, i) => rows(weight.values, weight.columns, velocities?.[name]?.[i])),
    ]),
  );
  const features = forward(rows(x, columns), weights);
  const output = Object.values(features).at(-1)!;
  const k = output[0]!.length;
  const terms = output.flatMap((row, i) => {
    if (loss === 'squared')
      return row.map((f, j) => scale(power(plus(f, leaf(-y[i * k + j]!)), 2), 0.5 / y.length));
    return softmax(row).map((p, j) => scale(log(p), -y[i * k + j]! / output.length));
  });
  const value = total(terms);
  backward(value);
  return { features, weights, loss: value };
}

const rms = (xs: readonly number[]) => Math.sqrt(xs.reduce((sum, each) => sum + each * each, 0) / xs.length);

test.each(Object.keys(CASES))('%s has the table of float64 automatic differentiation', (name) => {
  const example = CASES[name]!;
  const { loss, shape } = example;
  const model = example.model();
  const columns = shape.at(-1)!;
  const x = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
    Math.fround(Math.sin(3 * i + 1)),
  );
  const k = model.outputs[0]!.shape.at(-1)!;
  const count = (x.length / columns) * k;
  const y = Array.from({ length: count }, (_, i) =>
    loss === 'squared' ? Math.fround(Math.cos(2 * i)) : Number(i % k === Math.floor(i / k) % k),
  );
  const targets = [...shape.slice(0, -1), k];
  const data: ModelData = { inputs: [tf.tensor(x, [...shape])], targets: [tf.tensor(y, targets)] };
  const values = Object.fromEntries(
    model.layers.map((layer) => [
      layer.name,
      layer.getWeights().map((w) => ({ values: [...w.dataSync()], columns: w.shape.at(-1)! })),
    ]),
  );
  const still = reference(example, x, columns, y, values);
  const velocities = Object.fromEntries(
    Object.entries(still.weights).map(([layer, all]) => [
      layer,
      all.map((weight) => weight.flat().map(({ slope }) => -slope)),
    ]),
  );
  const moving = reference(example, x, columns, y, values, velocities);
  const {
    layers,
    loss: measured,
    loss_decay: decay,
  } = inspectModel(model as never, data, { loss, advice: false });
  expect(measured! / still.loss.value).toBeCloseTo(1, 5);
  expect(decay / -moving.loss.velocity).toBeCloseTo(1, 5);
  expect(layers.map((row) => row.name)).toEqual(Object.keys(still.features));
  for (const row of layers) {
    const [own, moved] = [still.features[row.name]!.flat(), moving.features[row.name]!.flat()];
    const [b, speed] = [own.map(({ slope }) => slope), moved.map(({ velocity }) => velocity)];
    expect(row.feature_rms / rms(own.map(({ value }) => value)), row.name).toBeCloseTo(1, 5);
    expect(row.backward_rms / rms(b), row.name).toBeCloseTo(1, 5);
    expect(row.feature_speed_rms / rms(speed), row.name).toBeCloseTo(1, 5);
    const overlap = b.reduce((sum, each, i) => sum - each * speed[i]!, 0) / b.length;
    expect(Math.abs(row.bfa_rad! - Math.acos(overlap / (rms(b) * rms(speed)))), row.name).toBeLessThan(1e-5);
    const gradient = (still.weights[row.name] ?? []).flat(2).reduce((sum, { slope }) => sum + slope ** 2, 0);
    if (row.contribution !== null) expect(row.contribution / gradient, row.name).toBeCloseTo(1, 5);
  }
});
