/**
 * Widths of the hidden layers, m_l for l = 1 .. L-1: one number for all, or a formula in l, by which they grow with depth.
 *
 * Where they differ, `m` is m_{L-1}, the width that the readout takes, in tables as in formulas; but for scales and rates of V_l,
 * where it is what the matrix takes, m_{l-1}, as in Prop 5.1.
 */

import { z } from 'zod';
import { type At, integerEnd } from './axis.js';
import { compileExpression, VARIABLE_NAMES, type Values } from './expression.js';
import { expecting, expression, integer, listOrRange } from './file/schema-parts.js';

/** The number of the layer. */
export const LAYER = 'l';

/** Not m, which it is, nor beta, which may hang on it. */
const names = (parameters: readonly string[]): readonly string[] => [
  LAYER,
  ...VARIABLE_NAMES.filter((name) => name !== 'm' && name !== 'beta'),
  ...parameters,
];

function schema(parameters: readonly string[]) {
  const what = `an integer >= 1 or an expression in ${names(parameters).join(', ')}`;
  const [, formula] = expression(names(parameters), what).options;
  return z.union([integer(1), formula], expecting(what));
}

/** A formula of widths. */
export interface WidthFormula {
  /** Whether it uses l. */
  readonly usesLayer: boolean;
  /** Names that it uses besides. */
  readonly names: readonly string[];
  /**
   * m_1 .. m_{L-1}.
   *
   * @throws ExpressionError where one is not finite.
   */
  widths(values: Values): number[];
}

/** Reads a width as a file writes it. */
export function compileWidth(source: number | string, parameters: readonly string[]): WidthFormula {
  const compiled = compileExpression(source, names(parameters));
  const usesLayer = compiled.names.includes(LAYER);
  return {
    usesLayer,
    names: compiled.names.filter((name) => name !== LAYER),
    widths: (values) => {
      const at = (l: number) => compiled.evaluate({ ...values, [LAYER]: l });
      const layers = Array.from({ length: values.L! - 1 }, (_, i) => i + 1);
      return usesLayer ? layers.map(at) : layers.fill(at(1));
    },
  };
}

/** What the axis of widths has beside its name. */
export const WIDTHS = {
  schema,
  sweep: (parameters: readonly string[]) =>
    listOrRange(schema(parameters), integerEnd(1), 'integers >= 1 or expressions'),
  read: (value: number | string, parameters: readonly string[]) => {
    if (typeof value === 'number') return () => ({ width: value, widths: null, widthFormula: value });
    const { widths } = compileWidth(value, parameters);
    return ({
      values,
    }: At): { width: number; widths: readonly number[] | null; widthFormula: number | string } => {
      const all = widths(values);
      const width = all.at(-1)!;
      return { width, widths: all.every((each) => each === width) ? null : all, widthFormula: value };
    };
  },
  isInteger: true as const,
  holds: 'number' as const,
  formulaColumn: 'width_formula',
  isToldByFormula: true as const,
  of: 'network' as const,
  isSeeded: true,
};
