/** Data for a model: drawn, where the user has none, and checked. */
import { fill, type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type DataLaw, drawData } from '../core/data.js';
import { largest } from '../core/extremes.js';
import { GaussianSampler, ROLE, type Seed } from '../core/random.js';
import { scoped } from './derivatives/derivatives.js';
import { forward, type Graph, graphOf } from './graph.js';
import type { Output } from './loss.js';
import type { ModelLoss } from './loss-names.js';
import { ModelError } from './model-error.js';

/** What a model is measured on: a tensor for each input and each output, the samples first. */
export interface ModelData {
  readonly inputs: readonly Tensor[];
  readonly targets: readonly Tensor[];
}

type Shape = readonly (number | null)[];

/** Shape of an input or output as people write it; `?` is what a model leaves open. */
export const shownShape = (shape: Shape): string => `[${shape.map((length) => length ?? '?').join(', ')}]`;

export interface DrawOptions {
  readonly samples: number;
  readonly seed: number | Seed;
  readonly loss: ModelLoss;
  /** Data that are given; what is missing is drawn. */
  readonly inputs?: readonly Tensor[] | undefined;
  readonly targets?: readonly Tensor[] | undefined;
  /** Shape of one sample where the model leaves lengths open. */
  readonly inputShape?: readonly number[] | undefined;
  /** Default: N(0, 1), or classes for a cross-entropy. */
  readonly law?: DataLaw | undefined;
}

/**
 * Data of the shapes of a model: N(0, 1) inputs, but uniform ones of the tokens where an embedding takes them; N(0, 1) targets, or for a
 * cross-entropy one-hot rows of uniform classes.
 *
 * @throws ModelError for an input of open length without a shape, and integers that no embedding takes.
 */
export function drawModelData(model: LayersModel, options: DrawOptions): ModelData {
  const graph = graphOf(model);
  const inputs = options.inputs ?? model.inputs.map((_, i) => drawInput(model, graph, i, options));
  if (options.targets) return { inputs, targets: options.targets };
  checkInputs(model, graph, inputs);
  return {
    inputs,
    targets: outputShapes(graph, inputs).map((shape, i) => drawTarget(shape, i, options, inputs)),
  };
}

/** Whether inputs are N(0, 1). */
const isUsual = ({ law, scale, normalize }: DataLaw['input']) =>
  law === 'normal' && scale === 1 && normalize === 'none';

function outputShapes(graph: Graph, inputs: readonly Tensor[]): number[][] {
  return scoped(() => forward(graph, inputs).outputs.map(({ shape }) => shape));
}

/** N(0, 1) numbers of a stream of their own. */
function normal(count: number, seed: number | Seed, role: number, number: number): Float32Array {
  const numbers = new Float32Array(count);
  new GaussianSampler().fill(numbers, {
    streams: [{ seed: wordsOf(seed), role, layer: number }],
    scales: [1],
  });
  return numbers;
}

const wordsOf = (seed: number | Seed): Seed =>
  typeof seed === 'number' ? [Math.floor(seed / 0x1_0000_0000), seed >>> 0, 0, 0] : seed;

const sizeOf = (shape: readonly number[]) => shape.reduce((size, length) => size * length, 1);

function drawInput(
  model: LayersModel,
  graph: Graph,
  i: number,
  { samples, seed, inputShape, law }: DrawOptions,
): Tensor {
  const { shape: declared, dtype, name } = model.inputs[i]!;
  const own = inputShape ?? (declared.slice(1) as (number | null)[]);
  if (own.some((length) => length === null)) {
    throw new ModelError(
      `input ${name}: its shape is ${shownShape(own)}, with a length that is open; give --input-shape, or data`,
    );
  }
  const shape = [samples, ...(own as number[])];
  const tokens = tokensOf(graph, i);
  if (law && !isUsual(law.input) && (tokens !== undefined || model.inputs.length > 1)) {
    const what = tokens === undefined ? `one of ${model.inputs.length} inputs` : 'tokens, which are uniform';
    throw new ModelError(`data.input: expected a model of one input of numbers, got ${name}, ${what}`);
  }
  if (tokens !== undefined) {
    // A class is where the largest of so many normal numbers is; each of them is as likely.
    const size = sizeOf(shape);
    return tensor(classes(size, tokens, seed, ROLE.INPUT, i), shape, 'int32');
  }
  if (dtype !== 'float32') {
    throw new ModelError(
      `input ${name}: expected numbers or the tokens of an embedding, got ${dtype}; give data (--data)`,
    );
  }
  if (law && !isUsual(law.input)) {
    const size = { samples, inputWidth: sizeOf(own as number[]), outputWidth: 1 };
    return tensor(drawData(new GaussianSampler(), wordsOf(seed), law, size).input, shape);
  }
  return tensor(normal(sizeOf(shape), seed, ROLE.INPUT, i), shape);
}

/** How many tokens the embeddings know that take an input as it is; undefined where none does. */
export function tokensOf({ calls, inputs }: Graph, i: number): number | undefined {
  const counts = calls
    .filter((call) => call.layer.getClassName() === 'Embedding' && call.inputs.includes(inputs[i]!))
    .map(({ layer }) => (layer as unknown as { readonly inputDim: number }).inputDim);
  return counts.length === 0 ? undefined : counts.reduce((least, count) => Math.min(least, count));
}

/** Uniform numbers 0 .. count - 1. */
export function classes(
  size: number,
  count: number,
  seed: number | Seed,
  role: number,
  number: number,
): Int32Array {
  const numbers = normal(size * count, seed, role, number);
  return Int32Array.from({ length: size }, (_, at) => {
    const row = numbers.subarray(at * count, (at + 1) * count);
    return row.indexOf(largest(row));
  });
}

function drawTarget(
  shape: number[],
  i: number,
  { seed, loss, law }: DrawOptions,
  inputs: readonly Tensor[],
): Tensor {
  const target = law?.target ?? { law: 'normal' };
  const k = shape.at(-1)!;
  if (target.law === 'one-hot' || (target.law === 'normal' && loss === 'cross-entropy')) {
    if (k < 2) throw new ModelError('data.target: "one-hot" are classes, and the model has one output');
    return oneHotRows(classes(sizeOf(shape) / k, k, seed, ROLE.TARGET, i), shape);
  }
  if (target.law === 'constant') return fill(shape, target.value);
  if (target.law === 'normal') return tensor(normal(sizeOf(shape), seed, ROLE.TARGET, i), shape);
  const [d, own] = [inputs[0]!.size / shape[0]!, sizeOf(shape) / shape[0]!];
  if (inputs.length > 1 || inputs[0]!.dtype !== 'float32' || own > d) {
    throw new ModelError(
      `data.target: "cosine" is y_i = cos(pi x_i), i = 1 .. k, expected one input of ${own} numbers or more`,
    );
  }
  const x = inputs[0]!.dataSync();
  return tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, at) =>
      Math.cos(Math.PI * x[Math.floor(at / own) * d + (at % own)]!),
    ),
    shape,
  );
}

/**
 * One-hot rows of the shape of an output, from the class of each row.
 *
 * @throws ModelError for a class that is none.
 */
export function oneHotRows(rows: ArrayLike<number>, shape: readonly number[]): Tensor {
  const k = shape.at(-1)!;
  const values = new Float32Array(rows.length * k);
  for (let at = 0; at < rows.length; at++) {
    const c = rows[at]!;
    if (!Number.isInteger(c) || c < 0 || c >= k) {
      throw new ModelError(`targets: expected a class from 0 to ${k - 1} for the ${k} outputs, got ${c}`);
    }
    values[at * k + c] = 1;
  }
  return tensor(values, [...shape]);
}

const fits = (shape: Shape, expected: Shape) =>
  shape.length === expected.length && expected.every((length, i) => length === null || length === shape[i]);

function checkInputs(model: LayersModel, graph: Graph, inputs: readonly Tensor[]): void {
  if (inputs.length !== model.inputs.length) {
    const names = model.inputs.map(({ name }) => name).join(', ');
    throw new ModelError(
      `data: the model has ${model.inputs.length} inputs (${names}), got data for ${inputs.length}`,
    );
  }
  inputs.forEach((input, i) => {
    const { name, shape } = model.inputs[i]!;
    const expected: Shape = [null, ...shape.slice(1)];
    if (!fits(input.shape, expected) || input.shape[0]! < 1) {
      throw new ModelError(
        `data: input ${name} has the shape ${shownShape(shape.slice(1))} for each sample, got data of shape ${shownShape(input.shape)}, the samples first`,
      );
    }
    if (input.shape[0] !== inputs[0]!.shape[0]) {
      throw new ModelError(
        `data: expected as many samples for each input, got ${inputs[0]!.shape[0]} and ${input.shape[0]}`,
      );
    }
    const tokens = tokensOf(graph, i);
    const wrong =
      tokens === undefined
        ? undefined
        : input.dataSync().find((x) => !Number.isInteger(x) || x < 0 || x >= tokens);
    if (wrong !== undefined) {
      throw new ModelError(
        `data: input ${name} goes to an embedding of ${tokens} tokens, expected integers from 0 to ${tokens! - 1}, got ${wrong}`,
      );
    }
  });
}

/**
 * Makes sure that data have the shapes of the model, and tells the loss what it needs to know of each output.
 *
 * @throws ModelError
 */
export function checkData(model: LayersModel, graph: Graph, data: ModelData, loss: ModelLoss): Output[] {
  checkInputs(model, graph, data.inputs);
  const shapes = outputShapes(graph, data.inputs);
  if (data.targets.length !== shapes.length) {
    throw new ModelError(
      `targets: the model has ${shapes.length} outputs, got ${data.targets.length} targets`,
    );
  }
  return shapes.map((shape, i) => {
    const target = data.targets[i]!;
    if (!fits(target.shape, shape)) {
      throw new ModelError(
        `targets: output ${model.outputNames[i]} has the shape ${shownShape(shape)}, the samples first, got targets of shape ${shownShape(target.shape)}`,
      );
    }
    const maker = graph.calls.find(({ outputs }) => outputs.includes(graph.outputs[i]!));
    const activation = maker?.layer.getClassName() === 'Softmax' ? 'softmax' : activationOf(maker?.layer);
    if (loss === 'cross-entropy') checkCrossEntropy(shape, maker?.name ?? '', activation);
    return { isProbability: activation === 'softmax' };
  });
}

function activationOf(layer: object | undefined): string | undefined {
  const { activation } = (layer ?? {}) as { readonly activation?: { getClassName?(): string } };
  return activation?.getClassName?.();
}

function checkCrossEntropy(shape: readonly number[], name: string, activation: string | undefined): void {
  if (shape.at(-1)! < 2) {
    throw new ModelError(
      'a cross-entropy needs two or more outputs, one for each class; the model has one: take --loss squared',
    );
  }
  if (activation === 'sigmoid') {
    throw new ModelError(
      `a cross-entropy takes logits or the probabilities of softmax, and ${name} ends in a sigmoid; take --loss squared, or a linear activation`,
    );
  }
}
