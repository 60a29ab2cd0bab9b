/** The properties of a step in the words of sections 4.1 and 6. */

import { mean } from 'simple-statistics';
import type { CellMeasurement } from '../core/experiment.js';
import type { WideStep } from '../theory/infinite-width.js';

/** What is measured of a network, in the words of sections 4.1 and 6. */
export interface Properties {
  /** (SP): the smallest and the largest |f_v|_rms over v. */
  readonly smallestFeature: number;
  readonly largestFeature: number;
  /** (FL): |fdot_{L-1}|_rms. */
  readonly featureSpeed: number;
  /** (LD): -dloss/dt. */
  readonly lossDecay: number;
  /** (BC): the largest over the smallest of C_1, C_L, and the means over the hidden layers l by half and by parity. */
  readonly imbalance: number;
  /** C_1, the mean over the hidden layers, and C_L. */
  readonly inputContribution: number;
  readonly hiddenContribution: number;
  readonly outputContribution: number;
  /** (RFL): |fdot_{L-1}| / |f_{L-1}|. */
  readonly relativeSpeed: number;
  /** (FS): the largest |fdot_v| / |f_v| over v. */
  readonly forwardInstability: number;
  /** (BS): the largest |bdot_v| / |b_v| over v; NaN unless it is measured. */
  readonly backwardInstability: number;
  /** cos theta_{L-1}. */
  readonly cosine: number;
  /** S_{L-1}. */
  readonly sensitivity: number;
  /** |b_1|_2, the first of all layers. */
  readonly firstBackward: number;
}

/** One step of one network: what the properties are read off. */
type Layers = Omit<WideStep, 'featureBackwardAngle'>;

export function layersOf({ layers, values }: CellMeasurement, step = 1): Layers {
  const count = Math.max(...layers); // L - 1
  const at = (name: keyof typeof values) =>
    Array.from(values[name].subarray((step - 1) * count, step * count));
  const contributions = at('contribution');
  const output = contributions.reduce((rest, c) => rest - c, -at('loss_change')[0]!);
  return {
    contributions: [...contributions, output],
    featureRms: at('feature_rms'),
    featureSpeedRms: at('feature_speed_rms'),
    backwardRms: at('backward_rms'),
    backwardSpeedRms: at('backward_speed_rms'),
    backwardFeatureAngle: at('bfa_rad'),
  };
}

const sumOf = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0);

export function propertiesOf(step: Layers, width: number): Properties {
  const { contributions, featureRms, featureSpeedRms, backwardRms } = step;
  const hidden = contributions.slice(1, -1);
  // Means fluctuate less than the layers themselves, whose largest over smallest would grow with depth.
  const parts = [0, 1, 2, 3].map((part) =>
    hidden.filter((_, i) => i % 2 === part % 2 && Number(2 * i >= hidden.length) === part >> 1),
  );
  const [input, output] = [contributions[0]!, contributions.at(-1)!];
  const balanced = [input, output, ...parts.filter((part) => part.length > 0).map((part) => mean(part))];
  const relative = featureSpeedRms.map((speed, i) => speed / featureRms[i]!);
  return {
    smallestFeature: Math.min(...featureRms),
    largestFeature: Math.max(...featureRms),
    featureSpeed: featureSpeedRms.at(-1)!,
    lossDecay: sumOf(contributions),
    imbalance: Math.max(...balanced) / Math.min(...balanced),
    inputContribution: input,
    hiddenContribution: mean(hidden),
    outputContribution: output,
    relativeSpeed: relative.at(-1)!,
    forwardInstability: Math.max(...relative),
    backwardInstability: Math.max(...step.backwardSpeedRms.map((speed, i) => speed / backwardRms[i]!)),
    cosine: Math.cos(step.backwardFeatureAngle.at(-1)!),
    sensitivity: featureSpeedRms.at(-1)! / sumOf(contributions.slice(0, -1)),
    firstBackward: Math.sqrt(width) * backwardRms[0]!,
  };
}
