/**
 * What a cell costs: numbers that it holds on the backend, and processor time.
 *
 * Both are sums over the matrices of the network, [inputs -> outputs], and the states of its layers. The counts are those of
 * one step and of the weights; the times are measured. `scripts/plan-accuracy.mjs` holds both against real runs of all kinds.
 */
import { slopeBelow } from '../activations.js';
import { MATRICES, type Piece } from '../architectures/architecture.js';
import { architectureOf, hasBranches, hasHiddenWidth } from '../architectures/architectures.js';
import type { Demand } from './demand.js';
import { ACTIVATION_NS, FORMULA_NS, NS } from './times.js';

/** Passes of the network by which `auto` finds its scales. */
const PILOT_STEPS = 3;

/** Matrices of one kind; every step takes the input forward only, and others forward, back, and forward again. */
interface Matrices {
  readonly isInput: boolean;
  readonly inputs: number;
  readonly outputs: number;
  readonly count: number;
}

function matricesOf(demand: Demand): readonly Matrices[] {
  const { embedding, block, readout } = architectureOf(demand.architecture);
  const { depth } = demand;
  const of = (pieces: readonly Piece[], count: number) =>
    pieces.flatMap((piece) => {
      if (piece === 'phi') return [];
      const { inputs, outputs } = MATRICES[piece];
      const isInput = piece === 'input';
      if (piece === 'hidden' && demand.widths) {
        const widths = demand.widths.slice(0, depth - 1);
        return widths.slice(1).map((own, i) => ({ isInput, inputs: widths[i]!, outputs: own, count: 1 }));
      }
      return [{ isInput, inputs: demand[inputs], outputs: demand[outputs], count }];
    });
  return [...of(embedding, 1), ...of(block, depth - 2), ...of(readout, 1)];
}

const sum = <T>(items: readonly T[], of: (item: T) => number) =>
  items.reduce((total, item) => total + of(item), 0);

/** Entries of one state in all hidden layers, for one sample. */
const entriesOf = ({ depth, width, widths }: Demand) =>
  widths ? sum(widths.slice(0, depth - 1), (own) => own) : (depth - 1) * width;

/** Steps that are taken, those of the pilots included. */
const stepsOf = ({ steps, measured, weights, isNormalized, spectra }: Demand) =>
  (learnsInPlace({ measured, weights }) ? measured! + UNMEASURED * (steps - measured!) : steps) +
  SPECTRUM_STEPS * spectra * (measured ?? steps) +
  (isNormalized ? PILOT_STEPS : 0);

/** What an eigenvalue costs: some 14 products with the Hessian, each a third more than a step. */
const SPECTRUM_STEPS = 18;

/** What a step costs that nobody measures, and what moving the weights does, of one that is. */
const UNMEASURED = 0.8;

/** Whether the matrices themselves move, and no step is kept. */
const learnsInPlace = ({ measured, weights }: Pick<Demand, 'measured' | 'weights'>) =>
  measured !== undefined && weights === 'dense';

/** Rows from which dense weights keep a transposed copy of themselves. */
const MANY_ROWS = 4;

/** Whether the gradient of a matrix is kept as a matrix, and not as its factors. */
const hasGradientMatrix = (samples: number, { inputs, outputs }: Matrices) =>
  samples > 1 && samples >= Math.min(inputs, outputs);

/**
 * Memory of a cell on the backend at its peak, in float32 numbers.
 *
 * States: f_l, phi(f_l) and b_l, and M_l^T b_l where an MLP or an update needs it. Matrices of dense weights once, or twice where a transposed copy pays, and their gradients
 * where these are no larger than their factors. Of weights that are never formed, a direction and its image for every
 * product that was seen: the directions of the first two are the states themselves for one sample.
 */
export function backendBytes(demand: Demand): number {
  const { samples: n, width, inputWidth, outputWidth, depth, weights } = demand;
  if (isWhole(demand)) {
    // f_l, M_l q_{l-1} and M_l^T b_l, and b_l where that is another; two changes; and the readout as of others.
    const states = (depth - 1) * (hasBranches(demand.architecture) ? 4 : 3) + 8;
    return 4 * (states * width + 4 * outputWidth * 3 + inputWidth);
  }
  const { architecture, activation, kind } = demand;
  const isInPlace = learnsInPlace(demand);
  const steps = isInPlace ? 1 : demand.steps;
  const isShared = weights === 'matrix-free' && n === 1; // M_l^T b_l is the image of a direction then
  const hasTransposed = !isShared && (!hasBranches(architecture) || kind === 'update');
  const kinds = (activation === 'linear' ? 2 : 3) + (hasTransposed ? 1 : 0);
  // A product with the Hessian goes through every layer once more, there and back, with all states at hand.
  const states = entriesOf(demand) * n * (demand.spectra > 0 ? 3 * kinds : kinds);
  const matrices = sum(matricesOf(demand), (matrix) => {
    const { inputs, outputs, count, isInput } = matrix;
    const [factors, size] = [n * (inputs + outputs), inputs * outputs];
    const gradients = hasGradientMatrix(n, matrix) ? size * (steps > 1 ? 1 + 2 * steps : 1) : 0;
    const taken = steps > 1 ? factors * steps : 0;
    // Directions of the weights: two that are kept, the product with one, and what comes next.
    const vectors = demand.spectra > 0 ? 4 * count * size : 0;
    // The matrix and its gradient, and for a moment what it becomes.
    if (isInPlace) return 2 * count * size + size + vectors;
    if (weights === 'dense') return count * (size * (n >= MANY_ROWS ? 2 : 1) + gradients + taken) + vectors;
    const directions = isInput
      ? n * outputs + (n > 1 ? n * inputs : 0)
      : factors * (seenProducts(demand) - (n === 1 ? 1 : 0));
    return count * (directions + gradients + taken);
  });
  const data = n * (inputWidth + 4 * outputWidth);
  return 4 * (states + matrices + data + passingNumbers({ ...demand, steps }));
}

/**
 * Products of a matrix whose directions are kept. Of several steps mostly the changes are new, and the later the less: 2 a
 * step at the most, and fewer for small ones. The pilots see the same vectors again but for their rounding.
 */
function seenProducts({ steps, measuresBackward, isNormalized }: Demand): number {
  const ofSteps = steps === 1 ? 2 : 1 + 1.2 * steps;
  return ofSteps + (isNormalized ? 3 : 0) + (measuresBackward ? 2 : 0);
}

/** Numbers that come and go within a layer; a product of a row leaves one for each direction that it meets. */
function passingNumbers({ weights, samples: n, steps, width, inputWidth, outputWidth }: Demand): number {
  if (weights === 'dense' || n === 1) return (2 + 2 * steps) * n * width;
  return n * Math.max(3 * n * steps * Math.max(width, outputWidth), n * inputWidth);
}

/**
 * Memory of a cell in the process besides: data and outputs, some of them float64, the features before the first of several
 * steps, and what was recorded.
 */
export function hostBytes(demand: Demand): number {
  const { samples: n, inputWidth, outputWidth, width, recordsAllLayers, recorded } = demand;
  const steps = learnsInPlace(demand) ? 1 : demand.steps;
  const initial = steps > 1 ? n * (recordsAllLayers ? entriesOf(demand) : width) : 0;
  return 4 * (n * (inputWidth + 20 * outputWidth) + initial) + 8 * recorded;
}

/**
 * Whether the backend takes a layer in whole passes (`core/step/sampled/`): one sample and one step, of weights that are
 * never formed, with one matrix a layer, of one width, and a homogeneous activation.
 */
function isWhole(demand: Demand): boolean {
  const { weights, samples, steps, isNormalized, measuresBackward, architecture, activation } = demand;
  return (
    weights === 'matrix-free' &&
    demand.widths === undefined &&
    samples === 1 &&
    steps === 1 &&
    !isNormalized &&
    !measuresBackward &&
    !hasHiddenWidth(architecture) &&
    slopeBelow(activation) !== undefined
  );
}

/** Whether the backend takes a layer of formed weights in whole passes (`core/step/dense-block.ts`). */
function isDenseBlock({
  weights,
  samples,
  width,
  widths,
  architecture,
  activation,
  isNormalized,
}: Demand): boolean {
  return (
    weights === 'dense' &&
    widths === undefined &&
    samples >= Math.max(width, MANY_ROWS) &&
    !isNormalized &&
    hasBranches(architecture) &&
    !hasHiddenWidth(architecture) &&
    activation === 'relu'
  );
}

/** Processor time of a cell's own numbers, ns. */
export function workNs(demand: Demand): number {
  const { samples: n, depth, inputWidth, outputWidth, weights, activation, loss } = demand;
  const evaluated = ((demand.measured ?? 0) * demand.heldOut) / n / 3;
  const steps = stepsOf(demand) + evaluated + (demand.measuresBackward ? 0.4 : 0);
  const whole = isWhole(demand);
  const entry = whole
    ? NS.wholeEntry
    : isDenseBlock(demand)
      ? NS.blockEntry
      : NS.entry + 3 * (ACTIVATION_NS[activation] ?? FORMULA_NS);
  const states = entriesOf(demand) * n * steps * entry;
  const matrices = sum(matricesOf(demand), (matrix) => {
    const { inputs, outputs, count, isInput } = matrix;
    const size = inputs * outputs;
    const products = isInput ? 1 : 3;
    const gradient = hasGradientMatrix(n, matrix)
      ? 2 * n * size * NS.manyProduct
      : n > 1
        ? 2 * n ** 2 * (inputs + outputs) * NS.innerProduct
        : 0;
    if (weights === 'matrix-free') {
      const drawn = (isInput ? n * outputs : 1.5 * n * (inputs + outputs)) * NS.normal;
      const directions =
        directionPasses(demand) * ((inputs + outputs) / 2) * NS.direction * (isInput ? 1 / 3 : 1);
      return count * (steps * (drawn + gradient) + directions);
    }
    const once = size * (NS.normal + (n >= MANY_ROWS ? NS.transposed : 0));
    const product = n >= MANY_ROWS ? n * size * NS.manyProduct : n * size * NS.vectorProduct;
    return count * (once + steps * (products * product + gradient));
  });
  const ofOutput = loss === 'cross-entropy' ? NS.softmax : NS.output;
  const host = steps * n * (outputWidth * ofOutput + inputWidth * NS.normal);
  return states + matrices + host + (depth - 1) * steps * (whole ? NS.wholeLane : NS.lane);
}

/** What a layer in whole passes takes beside its lanes, in calls. */
const WHOLE_CALLS = 3;

/** Processor time of calling the backend, for a batch whose deepest cell this is, ns. */
export function callsNs(demand: Demand): number {
  if (isWhole(demand)) return (WHOLE_CALLS * demand.depth + 60) * NS.call;
  const own = (demand.weights === 'dense' ? 18 : 26) * stepsOf(demand);
  // A product passes over the gradients of all steps that were taken.
  const taken = demand.steps > 1 && !learnsInPlace(demand) ? 4 * demand.steps ** 2 : 0;
  return demand.depth * (own + taken) * NS.call + directionsNs(demand);
}

/** The part of it that is for directions: a pass over each of them is a call. */
export function directionsNs(demand: Demand): number {
  return demand.weights === 'dense' ? 0 : demand.depth * directionPasses(demand) * NS.call;
}

/** Passes over a known direction, of all products with a matrix: every vector meets all that came before. */
function directionPasses({ samples, steps, isNormalized }: Demand): number {
  const vectors = samples * steps;
  if (vectors === 1 && !isNormalized) return 0;
  return (samples === 1 ? 6 : 9) * vectors ** 2 * (isNormalized ? 2 * PILOT_STEPS : 1);
}
