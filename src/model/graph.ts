/** The graph of a LayersModel: calls of layers in an order of the forward pass, those of models within it too. */
import { add, mul, type Tensor, zerosLike } from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { type Cuts, findCuts, SINK } from './cuts.js';
import { ModelError } from './model-error.js';

export type Layer = layers.Layer;

/** One call of a layer; a layer that is called twice has two. */
export interface Call {
  /** `block/dense`; `dense (2)` for the second call. */
  readonly name: string;
  readonly layer: Layer;
  /** Numbers of the values that it takes and makes. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Shapes of the outputs, the samples first; null is a length that the model leaves open. */
  readonly shapes: readonly (readonly (number | null)[])[];
  readonly options: object;
}

/** The trained weights of one layer. */
export interface WeightGroup {
  /** Calls that use them, the first of which they are named after. */
  readonly calls: readonly number[];
  readonly weights: readonly Tensor[];
}

export interface Graph {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly calls: readonly Call[];
  readonly groups: readonly WeightGroup[];
  readonly cuts: Cuts;
}

/** A model as its container sees it: what the type of the library keeps to itself. */
interface Container {
  readonly inputs: readonly Symbolic[];
  readonly outputs: readonly Symbolic[];
  readonly nodesByDepth: Readonly<Record<string, readonly Node[]>>;
}

interface Symbolic {
  readonly id: number;
  readonly shape: readonly (number | null)[];
}

interface Node {
  readonly outboundLayer: Layer;
  readonly inputTensors: readonly Symbolic[];
  readonly outputTensors: readonly Symbolic[];
  readonly callArgs?: object | null;
}

const asContainer = (layer: unknown): Container | undefined =>
  'nodesByDepth' in (layer as object) ? (layer as Container) : undefined;

/**
 * Reads the graph of a model.
 *
 * @throws ModelError for a sequential model without an input shape.
 */
export function graphOf(model: LayersModel): Graph {
  build(model);
  const calls: Call[] = [];
  let values = 0;
  const nameOf = stableNames();
  const newValues = (of: readonly unknown[]) => of.map(() => values++);
  const walk = (container: Container, inputs: readonly number[], prefix: string): readonly number[] => {
    const value = new Map(container.inputs.map(({ id }, i) => [id, inputs[i]!]));
    const depths = Object.keys(container.nodesByDepth).sort((a, b) => Number(b) - Number(a));
    for (const node of depths.flatMap((depth) => container.nodesByDepth[depth]!)) {
      const { outboundLayer: layer, inputTensors, outputTensors, callArgs } = node;
      if (layer.getClassName() === 'InputLayer') continue;
      const name = `${prefix}${nameOf(layer)}`;
      const taken = inputTensors.map(({ id }) => value.get(id)!);
      const inner = asContainer(layer);
      const made = inner ? walk(inner, taken, `${name}/`) : newValues(outputTensors);
      outputTensors.forEach(({ id }, i) => {
        value.set(id, made[i]!);
      });
      const shapes = outputTensors.map(({ shape }) => shape);
      if (!inner) calls.push({ name, layer, inputs: taken, outputs: made, shapes, options: callArgs ?? {} });
    }
    return container.outputs.map(({ id }) => value.get(id)!);
  };
  const container = asContainer(model)!;
  const inputs = newValues(container.inputs);
  const outputs = walk(container, inputs, '');
  const named = numbered(calls);
  const groups = groupsOf(named, model);
  const successors = named.map(({ outputs: made }) => [
    ...named.flatMap((call, i) => (call.inputs.some((input) => made.includes(input)) ? [i] : [])),
    ...(outputs.some((output) => made.includes(output)) ? [SINK] : []),
  ]);
  return {
    inputs,
    outputs,
    calls: named,
    groups,
    cuts: findCuts({ successors, weights: groups.map(({ calls }) => calls) }),
  };
}

/** A sequential model is built when it is first called; here before. */
function build(model: LayersModel): void {
  if (model.built && 'nodesByDepth' in model) return;
  try {
    model.build(undefined as never);
  } catch (error) {
    throw new ModelError(
      `the model has no input shape, give its first layer an inputShape: ${(error as Error).message}`,
    );
  }
}

/** Names that occur again are told apart. */
function numbered(calls: readonly Call[]): Call[] {
  const seen = new Map<string, number>();
  return calls.map((call) => {
    const times = (seen.get(call.name) ?? 0) + 1;
    seen.set(call.name, times);
    return times === 1 ? call : { ...call, name: `${call.name} (${times})` };
  });
}

/**
 * Names of layers as tables have them: the library numbers those that are given none through all models of a process, as in
 * `dense_Dense17`; here they count from 1 in each.
 */
function stableNames(): (layer: Layer) => string {
  const counts = new Map<string, number>();
  const names = new Map<Layer, string>();
  return (layer) => {
    const [, prefix] = new RegExp(`^(.*_${layer.getClassName()})\\d+$`).exec(layer.name) ?? [];
    if (prefix === undefined) return layer.name;
    const count = (counts.get(prefix) ?? 0) + (names.has(layer) ? 0 : 1);
    counts.set(prefix, count);
    const name = names.get(layer) ?? `${prefix}${count}`;
    names.set(layer, name);
    return name;
  };
}

/** Trained weights by layer; weights of layers that are not trained, or within a model that is not, are none. */
function groupsOf(calls: readonly Call[], model: LayersModel): WeightGroup[] {
  const trained = new Set(model.trainableWeights.map((weight) => weight.read()));
  const byLayer = new Map<Layer, number[]>();
  calls.forEach(({ layer }, i) => {
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), i]);
  });
  return Array.from(byLayer, ([layer, uses]) => ({
    calls: uses,
    weights: layer.trainableWeights.map((weight) => weight.read()).filter((weight) => trained.has(weight)),
  })).filter(({ weights }) => weights.length > 0);
}

/** How a forward pass differs from a plain one. */
export interface ForwardOptions {
  /** What is added to the outputs of each call; a float32 output has one. */
  readonly probes?: readonly (readonly (Tensor | undefined)[])[];
  /** What the outputs of one call are multiplied with before anything takes them. */
  readonly multiplier?: { readonly call: number; readonly factor: Tensor } | undefined;
  /** Whether batch normalisation is over the batch. */
  readonly overBatch?: boolean | undefined;
  /** Outputs of calls that are known, and are not computed again. */
  readonly known?: ReadonlyMap<number, readonly Tensor[]>;
  /** The last call that is needed; default all. */
  readonly last?: number;
}

/** A finished forward pass. */
export interface Pass {
  /** Outputs of each call, before a multiplier. */
  readonly features: readonly (readonly Tensor[])[];
  /** Outputs of the model. */
  readonly outputs: readonly Tensor[];
}

/** Runs every layer on the outputs of those before. Random layers are off, recurrent ones begin at zero. */
export function forward(graph: Graph, data: readonly Tensor[], options: ForwardOptions = {}): Pass {
  const { probes, multiplier, overBatch = false, known, last = graph.calls.length } = options;
  const values = new Map<number, Tensor>(graph.inputs.map((input, i) => [input, data[i]!]));
  const masks = new Map<number, Tensor>();
  const features = graph.calls.slice(0, last + 1).map(({ name, layer, inputs, outputs, options: own }, i) => {
    const taken = inputs.map((input) => values.get(input)!);
    const takenMasks = inputs.map((input) => masks.get(input) ?? null);
    const hasMask = takenMasks.some((mask) => mask !== null);
    if (hasMask || layer.getClassName() === 'Embedding' || layer.getClassName() === 'Masking') {
      const made = layer.supportsMasking
        ? layer.computeMask(single(taken) as Tensor, single(takenMasks as Tensor[]))
        : null;
      [made].flat().forEach((mask, j) => {
        if (mask) masks.set(outputs[j]!, mask);
      });
    }
    if (layer.stateful) (layer as unknown as { resetStates(): void }).resetStates();
    const made =
      known?.get(i) ??
      callOf(name, layer, taken, {
        ...own,
        // One that is frozen keeps to its averages, as Keras has it.
        training: overBatch && isBatchNorm(layer) && layer.trainable,
        ...(hasMask && { mask: single(takenMasks) }),
      });
    const probed = made.map((output, j) => {
      const probe = probes?.[i]?.[j];
      return probe ? add(output, probe) : output;
    });
    probed.forEach((output, j) => {
      values.set(outputs[j]!, multiplier?.call === i ? mul(output, multiplier.factor) : output);
    });
    return probed;
  });
  return { features, outputs: graph.outputs.map((output) => values.get(output) as Tensor) };
}

function callOf(name: string, layer: Layer, inputs: readonly Tensor[], options: object): Tensor[] {
  try {
    return [layer.apply(single(inputs), options) as Tensor | Tensor[]].flat();
  } catch (error) {
    throw new ModelError(`layer ${name} (${layer.getClassName()}): ${(error as Error).message}`);
  }
}

const single = <T>(list: readonly T[]): T | T[] => (list.length === 1 ? list[0]! : [...list]);

export const isBatchNorm = (layer: Layer): boolean => layer.getClassName() === 'BatchNormalization';

/** A zero for each float32 output of each call. */
export function zeroProbes({ features }: Pass): (Tensor | undefined)[][] {
  return features.map((outputs) =>
    outputs.map((output) => (output.dtype === 'float32' ? zerosLike(output) : undefined)),
  );
}
