/** Which layers a second derivative does not go through, found by trying each alone. */
import { type Tensor, zerosLike } from '@tensorflow/tfjs-core';
import { scoped, velocitiesOf } from './derivatives/derivatives.js';
import { optionsOf, type Problem } from './descent.js';
import { type Call, forward, type Graph } from './graph.js';
import { ModelError } from './model-error.js';

/** A layer of the network that cannot be measured, and why. */
interface Refusal {
  readonly call: Call;
  readonly reason: string;
}

/** Tries every layer on the features that it is given. */
function refusals(problem: Problem): Refusal[] {
  return scoped(() => {
    const { graph, inputs } = problem;
    const { features } = forward(graph, inputs, optionsOf(problem));
    const values = new Map<number, Tensor>(graph.inputs.map((input, i) => [input, inputs[i]!]));
    graph.calls.forEach(({ outputs }, i) => {
      outputs.forEach((output, j) => {
        values.set(output, features[i]![j]!);
      });
    });
    return graph.calls.flatMap((call, i) => {
      const reason = reasonOf(problem, call, i, values);
      return reason === undefined ? [] : [{ call, reason }];
    });
  });
}

function reasonOf(
  problem: Problem,
  call: Call,
  i: number,
  values: ReadonlyMap<number, Tensor>,
): string | undefined {
  const alone: Graph = {
    ...problem.graph,
    inputs: [...new Set(call.inputs)],
    outputs: call.outputs,
    calls: [call],
  };
  const inputs = alone.inputs.map((input) => values.get(input)!);
  const own = problem.graph.groups.find(({ calls }) => calls.includes(i))?.weights ?? [];
  const xs = [...inputs.filter(({ dtype }) => dtype === 'float32'), ...own];
  if (xs.length === 0) return undefined;
  try {
    scoped(() => {
      const outputs = () => forward(alone, inputs, optionsOf(problem)).features[0]!.filter(isFloat);
      const zeros = outputs().map((output) => zerosLike(output));
      velocitiesOf(outputs, zeros, xs, xs);
    });
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    const missing = /gradient function not found for ([^\s.]+)/.exec(message)?.[1];
    if (missing)
      return `the operation ${missing} has no ${missing.match(/Grad|Backprop/) ? 'second ' : ''}derivative`;
    return message.split('\n')[0];
  }
}

const isFloat = ({ dtype }: Tensor) => dtype === 'float32';

/**
 * One message for all layers that are refused, each with the operation that lacks a derivative.
 *
 * @returns undefined when every layer alone lets a second derivative through.
 */
export function refusal(problem: Problem): ModelError | undefined {
  const lines = refusals(problem).map(
    ({ call, reason }) => `layer ${call.name} (${call.layer.getClassName()}): ${reason}`,
  );
  if (lines.length === 0) return undefined;
  return new ModelError(lines.join('\n'));
}
