/** A mean and how far it can be trusted. */
import { mean, sampleStandardDeviation } from 'simple-statistics';

export interface Estimate {
  readonly value: number;
  /** Null where one value tells nothing, and for what has no simple one. */
  readonly standardError: number | null;
  /** Values that it is made of. */
  readonly count: number;
}

/**
 * Mean of values, with the standard error of independent ones.
 *
 * @param expected what each was expected to be, where they are not alike: the error is that of the differences
 */
export function estimateMean(values: readonly number[], expected?: readonly number[]): Estimate | null {
  if (values.length === 0) return null;
  const differences = expected ? values.map((value, i) => value - expected[i]!) : values;
  return {
    value: mean([...values]),
    standardError:
      values.length > 1 ? sampleStandardDeviation([...differences]) / Math.sqrt(values.length) : null,
    count: values.length,
  };
}

/** Quotient of two independent estimates, with its error to first order. */
export function ratioOf(a: Estimate, b: Estimate): Estimate {
  const value = a.value / b.value;
  const relative =
    a.standardError === null || b.standardError === null
      ? null
      : Math.hypot(a.standardError / a.value, b.standardError / b.value);
  return {
    value,
    standardError: relative === null ? null : Math.abs(value) * relative,
    count: a.count + b.count,
  };
}

/** How many standard errors an estimate lies above a value; null where there is no error to measure with. */
export function zScore({ value, standardError }: Estimate, expected: number): number | null {
  return standardError === null || standardError === 0 ? null : (value - expected) / standardError;
}
