/** A text for a model of tokens: each character is a token, and the target of a place is the character that follows. */
import { tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { ROLE, type Seed } from '../core/random.js';
import type { ModelData } from './data.js';
import { classes, oneHotRows, tokensOf } from './data.js';
import { graphOf } from './graph.js';
import { ModelError } from './model-error.js';

/** Tokens of a text: the numbers of its characters among those that it has, in the order of their codes. */
function tokensOfText(text: string): { readonly tokens: readonly number[]; readonly count: number } {
  const characters = [...text];
  const known = [...new Set(characters)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  const numbers = new Map(known.map((character, i) => [character, i]));
  return { tokens: characters.map((character) => numbers.get(character)!), count: known.length };
}

/**
 * Windows of a text, drawn uniformly and for every step anew.
 *
 * @throws ModelError for a model that takes no tokens, or too few of them, and a text that is too short.
 */
export function drawTextData(
  model: LayersModel,
  text: string,
  { samples, seed, step }: { readonly samples: number; readonly seed: Seed; readonly step: number },
): ModelData {
  const { tokens, count } = tokensOfText(text);
  const length = model.inputs[0]?.shape[1];
  const known = model.inputs.length === 1 ? tokensOf(graphOf(model), 0) : undefined;
  const [output] = model.outputs;
  const classesOut = output?.shape.at(-1) ?? 0;
  if (known === undefined || !length || model.inputs[0]!.shape.length !== 2 || output?.shape.length !== 3) {
    throw new ModelError(
      'data.text: expected a model of one input of tokens, with an output for every place',
    );
  }
  if (Math.min(known, classesOut) < count) {
    throw new ModelError(
      `data.text: it has ${count} different characters, and the model knows ${Math.min(known, classesOut)} tokens`,
    );
  }
  const starts = tokens.length - length;
  if (starts < 1) {
    throw new ModelError(
      `data.text: expected more than ${length} characters, a window of the model, got ${tokens.length}`,
    );
  }
  const begins = [...classes(samples, starts, seed, ROLE.INPUT, step)];
  const cut = (shift: number) =>
    begins.flatMap((begin) => tokens.slice(begin + shift, begin + shift + length));
  return {
    inputs: [tensor(cut(0), [samples, length], 'int32')],
    targets: [oneHotRows(cut(1), [samples, length, classesOut])],
  };
}
