/** Ranges of an axis or a parameter: `{"from", "to", "step"}` or `{"from", "to", "count", "scale"}`. */
import { twelveDigits } from '../quantities.js';
import { power } from './power.js';

/** By step or by count; both ends are included. */
export type Range =
  | { readonly from: number; readonly to: number; readonly step: number }
  | {
      readonly from: number;
      readonly to: number;
      readonly count: number;
      readonly scale?: 'linear' | 'log' | undefined;
    };

/** Values that an axis may have. */
export const MOST_VALUES = 1e6;

/**
 * Number of values of a range, before rounding to integers makes some the same. A range by step may end a rounding
 * error short of `to` and still include it.
 */
export function rangeLength(range: Range): number {
  return 'count' in range ? range.count : Math.floor((range.to - range.from) / range.step + 1e-9) + 1;
}

/** The values of a list or a range, the ends of a range included; of a range each once. */
export function valuesOf<T>(axis: readonly T[] | Range): readonly (T | number)[] {
  if (!('from' in axis)) return axis;
  const { from, to } = axis;
  const position = (index: number): number => {
    if ('step' in axis) return Math.min(to, from + index * axis.step);
    const share = index / (axis.count - 1);
    return axis.scale === 'log' ? from * power(to / from, share) : from + (to - from) * share;
  };
  const values = Array.from({ length: rangeLength(axis) }, (_, index) => twelveDigits(position(index)));
  return [...new Set(values)];
}
