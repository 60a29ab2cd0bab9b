/**
 * A number to 12 significant digits: the values that say which cell a row is, and those of theory.
 *
 * Engines may round a function otherwise in the last of 16 digits, and what a formula gives decides keys, random numbers
 * and which rows belong together. Twelve digits are also what 3 * 0.1 and 0.3 have in common.
 */
export function twelveDigits(value: number): number {
  return Number.isSafeInteger(value) ? value : Number(value.toPrecision(12));
}
