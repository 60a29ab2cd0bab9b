/** A text for a model of tokens: each character is a token, and the target of a place is the character that follows. */
import { tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { ROLE, type Seed } from '../../core/random.js';
import type { ModelData } from '../data.js';
import { classes, oneHotRows, tokensOf } from '../data.js';
import { graphOf } from '../graph.js';
import { ModelError } from '../model-error.js';

/** Tokens of a text: the numbers of its characters among those that it has, in the order of their codes. */
export function tokensOfText(text: string): { readonly tokens: readonly number[]; readonly count: number } {
  const characters = [...text];
  const known = [...new Set(characters)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  const numbers = new Map(known.map((character, i) => [character, i]));
  return { tokens: characters.map((character) => numbers.get(character)!), count: known.length };
}

/**
 * Windows of a text, drawn uniformly and for every step anew. Held out is its end, as so many windows, one after the other.
 *
 * @throws ModelError for a model that takes no tokens, or too few of them, and a text that is too short.
 */
export function textWindows(
  model: LayersModel,
  text: string,
  { samples, heldOut, seed }: { readonly samples: number; readonly heldOut: number; readonly seed: Seed },
): { step(t: number): ModelData; readonly heldOut: ModelData | undefined } {
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
  // The tokens that are learnt from.
  const learnt = tokens.length - heldOut * length;
  const starts = learnt - length;
  if (starts < 1) {
    const besides = heldOut > 0 ? ` besides ${heldOut} that are held out` : '';
    throw new ModelError(
      `data.text: expected more than ${length} characters, a window of the model${besides}, got ${tokens.length}`,
    );
  }
  const windows = (begins: readonly number[]): ModelData => {
    const cut = (shift: number) =>
      begins.flatMap((begin) => tokens.slice(begin + shift, begin + shift + length));
    return {
      inputs: [tensor(cut(0), [begins.length, length], 'int32')],
      targets: [oneHotRows(cut(1), [begins.length, length, classesOut])],
    };
  };
  const ends = Array.from({ length: heldOut }, (_, i) => learnt - 1 + i * length);
  return {
    step: (t) => windows([...classes(samples, starts, seed, ROLE.INPUT, t)]),
    heldOut: heldOut > 0 ? windows(ends) : undefined,
  };
}
