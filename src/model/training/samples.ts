/** What a model learns from, step by step, and what it is tested on: drawn, rows of a file, or windows of a text. */
import { gather, slice, type Tensor, tensor, tensor1d } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type DataLaw, drawSamples, type Samples } from '../../core/data.js';
import { GaussianSampler, type Seed } from '../../core/random.js';
import { BatchOrder } from '../../core/training.js';
import { drawModelData, type ModelData, shownShape, tokensOf } from '../data.js';
import { scoped } from '../derivatives/derivatives.js';
import { forward, graphOf } from '../graph.js';
import type { ModelLoss } from '../loss-names.js';
import { ModelError } from '../model-error.js';
import { textWindows } from './text.js';

export interface SampleRequest {
  readonly seed: Seed;
  /** Samples that are learnt from, those of a step, and those that are held out. */
  readonly samples: number;
  readonly batch: number;
  readonly heldOut: number;
  readonly loss: ModelLoss;
  readonly law: DataLaw;
  /** A text whose characters are tokens, instead of the law. */
  readonly text?: string | undefined;
}

/** Samples of the steps of one model. */
export interface ModelSamples {
  /** Those of the t-th step, t from 1. */
  step(t: number): ModelData;
  readonly heldOut: ModelData | undefined;
}

/**
 * Samples by the stream of a cell: a permutation of the rows of a file as the built-in networks have it, draws of a law, or windows of a
 * text, which are others at every step. A batch takes its share in epochs, without replacement.
 *
 * @throws ModelError for data that do not fit the model.
 */
export function modelSamples(model: LayersModel, request: SampleRequest): ModelSamples {
  const { seed, samples, batch, heldOut, text } = request;
  const fixed = fixedBatch(model);
  if (fixed !== undefined && (samples !== fixed || batch !== fixed || heldOut > 0)) {
    throw new ModelError(
      `data: the model takes ${fixed} samples at a time (batchInputShape), expected data.samples ${fixed}, and no data.batch or data.heldOut`,
    );
  }
  if (text !== undefined) return textWindows(model, text, { samples, heldOut, seed });
  const all = request.law.set ? rowsOfFile(model, request) : drawn(model, request);
  const part = (first: number, count: number): ModelData => mapped(all, (x) => slice(x, first, count));
  const learnt = heldOut === 0 ? all : part(0, samples);
  const order = new BatchOrder(new GaussianSampler(), { seed }, samples, batch);
  return {
    step: (t) => {
      if (batch === samples) return learnt;
      const rows = tensor1d(order.rows(t), 'int32');
      return mapped(learnt, (x) => gather(x, rows));
    },
    heldOut: heldOut === 0 ? undefined : part(samples, heldOut),
  };
}

/** How many samples a model takes at a time, where it says so. */
export const fixedBatch = (model: LayersModel): number | undefined =>
  model.inputs.map(({ shape }) => shape[0]).find((length) => length !== null);

const mapped = ({ inputs, targets }: ModelData, of: (x: Tensor) => Tensor): ModelData => ({
  inputs: inputs.map(of),
  targets: targets.map(of),
});

function drawn(model: LayersModel, { samples, heldOut, seed, loss, law }: SampleRequest): ModelData {
  return drawModelData(model, { samples: samples + heldOut, seed, loss, law });
}

const sizeOf = (shape: readonly number[]) => shape.reduce((size, length) => size * length, 1);

/** Rows of a file in the shapes of a model of one input and one output, those that are held out last. */
function rowsOfFile(model: LayersModel, { samples, heldOut, seed, loss, law }: SampleRequest): ModelData {
  const { inputs, targets, rows } = law.set!;
  const [d, k] = [inputs.length / rows, targets.length / rows];
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw new ModelError(
      `data.file: its columns are of one input and one output, and the model has ${model.inputs.length} and ${model.outputs.length}`,
    );
  }
  const graph = graphOf(model);
  const drawnRows = drawSamples(
    new GaussianSampler(),
    seed,
    law,
    { samples, width: 0, inputWidth: d, outputWidth: k },
    heldOut,
  );
  const { input, target } = joined(drawnRows.samples, drawnRows.heldOut);
  const own = filled(model.inputs[0]!.shape.slice(1), d);
  if (own === undefined) {
    throw new ModelError(
      `data.file: it has ${d} columns besides the target, and input ${model.inputs[0]!.name} has the shape ${shownShape(model.inputs[0]!.shape.slice(1))} for each sample`,
    );
  }
  const tokens = tokensOf(graph, 0);
  if (tokens !== undefined) checkTokens(input, tokens);
  const count = samples + heldOut;
  const x = tensor(tokens === undefined ? input : Int32Array.from(input), [count, ...own]);
  const [shape] = scoped(() =>
    forward(graph, [slice(x, 0, 1)]).outputs.map((output) => output.shape.slice(1)),
  );
  const isClass = loss === 'cross-entropy';
  if (sizeOf(shape!) !== k || (isClass && shape!.at(-1) !== k)) {
    const what = law.set!.hasClasses ? `${k} classes` : `${k} ${k === 1 ? 'number' : 'numbers'} as target`;
    throw new ModelError(
      `data.file: it has ${what}, and the model has outputs of the shape ${shownShape(shape!)}; give its module another number of outputs by network.parameters`,
    );
  }
  return { inputs: [x], targets: [tensor(target, [count, ...shape!])] };
}

function joined(first: Samples, second: Samples): Samples {
  const both = (a: Float32Array, b: Float32Array) => {
    const all = new Float32Array(a.length + b.length);
    all.set(a);
    all.set(b, a.length);
    return all;
  };
  return { input: both(first.input, second.input), target: both(first.target, second.target) };
}

/** The shape with `size` entries, one open length filled in; undefined where it has another number. */
function filled(shape: readonly (number | null)[], size: number): number[] | undefined {
  const open = shape.filter((length) => length === null).length;
  const rest = size / sizeOf(shape.map((length) => length ?? 1));
  if (open > 1 || !Number.isInteger(rest) || (open === 0 && rest !== 1)) return undefined;
  return shape.map((length) => length ?? rest);
}

function checkTokens(values: Float32Array, tokens: number): void {
  const wrong = values.find((x) => !Number.isInteger(x) || x < 0 || x >= tokens);
  if (wrong === undefined) return;
  throw new ModelError(
    `data.file: its columns go to an embedding of ${tokens} tokens, expected integers from 0 to ${tokens - 1}, got ${wrong}; ` +
      'data.input.columns "raw" leaves them as they are',
  );
}
