/** What an axis is: the entry that each has in the table of axes. */
import type { z } from 'zod';
import type { ActivationName } from '../activations.js';
import type { ArchitectureName } from '../architectures/architectures.js';
import type { Values, VariableName } from './expression.js';
import { integer, listOrRange, number } from './file/schema-parts.js';

/** What is known of a setting when an axis is read: the axes before it, and the values that expressions see. */
export interface At {
  readonly architecture: ArchitectureName;
  readonly activation: ActivationName;
  /** M, of an architecture that has it. */
  readonly hiddenWidth: number | null;
  /** m_1 .. m_{L-1}, where they differ. */
  readonly widths?: readonly number[] | null;
  readonly values: Values;
  /** T. */
  readonly steps: number;
}

export interface AxisEntry {
  /** Where a file gives its value when it is not swept. */
  readonly path: readonly [key: string] | readonly [section: string, key: string];
  /** Title of an axis of a chart. */
  readonly title: string;
  /** Its name in expressions. */
  readonly symbol?: VariableName;
  /** What stands there where a file says nothing; absent: the file has to say it. */
  readonly default?: unknown;
  /** Why a network of the user's own, `network.model`, has no such axis; absent: it has. */
  readonly notOfModels?: string;
  /** Help of the key, and of the key of the sweep. */
  readonly help: string;
  readonly sweepHelp: string;
  /** What one value may be, and the values of a sweep. */
  readonly schema: (parameters: readonly string[], isOfModel?: boolean) => z.ZodType;
  readonly sweep: (parameters: readonly string[], isOfModel?: boolean) => z.ZodType;
  /** Fills in what an entry of a file leaves out. */
  readonly resolve?: (written: never) => unknown;
  /** How a setting reads a value: what it is, or for a formula comes to, where the axes before it are known. */
  readonly read: (value: never, parameters: readonly string[]) => (at: At) => object;
  /** What tables and keys say of the value of a setting, where that is no text or number. */
  readonly tell?: (value: never) => string;
  /** Whether numbers are rounded to integers, those of a range. */
  readonly isInteger?: true;
  /** Column of the table that tells its value. */
  readonly column: string;
  readonly holds: 'text' | 'number';
  /** Whether tables have the column only where it is swept, or of an architecture there; for an axis that tables of before are without. */
  readonly isOptional?: true;
  /** Whether an architecture has it, where not all have; the value of others is null. */
  readonly isOf?: (architecture: ArchitectureName) => boolean;
  /** Column that tells its value as the file writes it, and decides no identity: what labels are made from. */
  readonly formulaColumn?: string;
  /** Whether formulas come to more than the one number of its column: then theirs is part of the identity, and there where there are any. */
  readonly isToldByFormula?: true;
  /** Whether it is of the network, or of the step that is taken: the columns of the network come first. */
  readonly of: 'network' | 'step';
  /** What stands before its value in keys. */
  readonly key: string;
  /** Whether the random numbers of a cell hang on it; if not, its part stands in keys only where it is swept. */
  readonly isSeeded: boolean;
  /** Whether the cells of a batch have one value of it. */
  readonly isOfBatch: boolean;
}

/** Ends of a range of integers, which need not be integers themselves. */
export const integerEnd = (least: number, advice = '') =>
  number(`a number >= ${least}`, advice).between(least, Number.MAX_SAFE_INTEGER);

/**
 * What axes of integers have in common.
 *
 * @param ofModels the least of a network of the user's own, which counts as it likes.
 */
export const ofIntegers = (least: number, advice = '', ofModels = least) => ({
  schema: (_: readonly string[], isOfModel = false) =>
    isOfModel ? integer(ofModels) : integer(least, advice),
  sweep: (_: readonly string[], isOfModel = false) =>
    isOfModel
      ? listOrRange(integer(ofModels), integerEnd(ofModels), `integers >= ${ofModels}`)
      : listOrRange(integer(least, advice), integerEnd(least, advice), `integers >= ${least}`),
  isInteger: true as const,
  holds: 'number' as const,
  of: 'network' as const,
  isSeeded: true,
});
