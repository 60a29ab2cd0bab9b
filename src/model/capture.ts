/** A step of any network that another program has saved: features, their change, backward pass and contributions. */
import { backwardFeatureAngle, layerNorms } from '../core/measurements/measure.js';
import type { Inspection } from './inspect.js';
import { ModelError } from './model-error.js';
import { balanceOf, layerRows, type Place, worstCut } from './rows.js';

/** Name of the format, in its metadata. */
const FORMAT = 'feature-speed-capture';
const KINDS = ['velocity', 'update'];
const PARTS = ['features', 'change', 'backward'] as const;

/** Numbers with a shape, by name, and texts. */
export interface Capture {
  readonly tensors: ReadonlyMap<
    string,
    { readonly shape: readonly number[]; readonly values: Float32Array | Float64Array }
  >;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The table of a capture. Layers are in the order of the forward pass, and the contributions of a layer and of those before it are the
 * loss decay up to it. A layer that the metadata name as `output` is f_L; the last of the others makes f_{L-1}.
 *
 * @throws ModelError with all that is missing or does not fit.
 */
export function inspectCapture(capture: Capture): Inspection {
  const { names, step } = headOf(capture);
  const problems: string[] = [];
  let decayBefore = 0;
  const places = names.map((name): Place => {
    const [f, change, b] = PARTS.map((part) => capture.tensors.get(`${part}.${name}`));
    const contribution = capture.tensors.get(`contribution.${name}`);
    if (!f || !change || !b) {
      const missing = PARTS.filter((part) => !capture.tensors.has(`${part}.${name}`));
      problems.push(
        `layer ${name}: expected tensors ${PARTS.map((part) => `${part}.${name}`).join(', ')}; ${missing.join(', ')} missing`,
      );
      return NOWHERE;
    }
    if (f.shape.join() !== change.shape.join() || f.shape.join() !== b.shape.join()) {
      const shapes = [f, change, b].map(({ shape }, i) => `${PARTS[i]} [${shape.join(', ')}]`);
      problems.push(`layer ${name}: expected one shape, got ${shapes.join(', ')}`);
      return NOWHERE;
    }
    if (contribution && (contribution.values.length !== 1 || !(contribution.values[0]! >= 0))) {
      problems.push(
        `contribution.${name}: expected one number >= 0, got ${contribution.values.slice(0, 3).join(', ')}`,
      );
    }
    decayBefore += contribution?.values[0] ?? 0;
    const norms = layerNorms(f.values, b.values, change.values);
    return {
      name,
      shape: f.shape,
      size: f.values.length,
      featureNorm: norms.features,
      backwardNorm: norms.backward,
      speed: norms.change / step,
      decay: -norms.overlap / step,
      angle: backwardFeatureAngle(b.values, change.values, norms),
      contribution: contribution?.values[0],
      decayBefore,
      isCut: true,
      squaredGradient: undefined,
    };
  });
  if (decayBefore === 0 && problems.length === 0) {
    problems.push(
      'expected contributions, contribution.NAME = eta |G|^2 of the parameters of a layer, that are not all 0',
    );
  }
  if (problems.length > 0) throw new ModelError(problems.join('\n'));
  const learning = places.filter(({ contribution }) => contribution).length;
  const layers = layerRows(places, learning);
  const hidden = places.filter(({ name }) => name !== capture.metadata.output);
  const last = hidden.at(-1);
  const loss = numberOf(capture.metadata.loss);
  return {
    layers,
    loss: loss ?? null,
    loss_decay: decayBefore,
    trained_layers: learning,
    advice: {
      ...balanceOf(layers),
      features_layer: last?.name ?? null,
      equation_7: last ? Math.sqrt(last.size) * last.backwardNorm * Math.cos(last.angle) : null,
      equation_7_reached: null,
      output_multiplier: null,
      learning_rates: {},
      ...worstCut(layers),
    },
    notes: notesOf(capture, decayBefore, step),
  };
}

const NOWHERE: Place = {
  name: '',
  shape: [],
  size: 0,
  featureNorm: 0,
  backwardNorm: 0,
  speed: 0,
  decay: 0,
  angle: 0,
  contribution: undefined,
  decayBefore: 0,
  isCut: false,
  squaredGradient: undefined,
};

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || text.trim() === '' || !Number.isFinite(Number(text)) ? undefined : Number(text);

/** Names of the layers, and what a change is divided by to be a velocity. */
function headOf({ metadata }: Capture): { readonly names: readonly string[]; readonly step: number } {
  const problems: string[] = [];
  if (metadata.format !== FORMAT) {
    throw new ModelError(
      `metadata: expected format ${FORMAT}, got ${metadata.format ?? 'none'}; scripts/capture.py writes it`,
    );
  }
  if (!KINDS.includes(metadata.kind ?? '')) {
    problems.push(`metadata: expected kind ${KINDS.join(' or ')}, got ${metadata.kind ?? 'none'}`);
  }
  const isUpdate = metadata.kind === 'update';
  const step = isUpdate ? numberOf(metadata.step_size) : 1;
  if (step === undefined || !(step > 0)) {
    problems.push(`metadata: expected step_size > 0 of an update, got ${metadata.step_size ?? 'none'}`);
  }
  let names: unknown;
  try {
    names = JSON.parse(metadata.layers ?? '');
  } catch {
    // Told below.
  }
  const isList = Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string');
  if (!isList || new Set(names as string[]).size !== (names as string[]).length) {
    problems.push(
      `metadata: expected layers, a JSON list of the names in the order of the forward pass, got ${metadata.layers ?? 'none'}`,
    );
  }
  if (problems.length > 0) throw new ModelError(problems.join('\n'));
  return { names: names as string[], step: step! };
}

function notesOf({ metadata }: Capture, decay: number, step: number): string[] {
  const isUpdate = metadata.kind === 'update';
  const change = numberOf(metadata.loss_change);
  const notes: string[] = [];
  if (isUpdate) notes.push(`an update of step size ${step}: Thm 2.1 holds up to O(step size)`);
  if (change !== undefined) {
    const told = -change / step;
    const difference = Math.abs(told / decay - 1);
    notes.push(
      `the loss decays by ${told.toPrecision(4)} in a unit of time, the contributions of these layers add up to ${decay.toPrecision(4)}${
        difference > 0.01 ? ': parameters are missing, or the step is large' : ''
      }`,
    );
  }
  return notes;
}
