/** Numbers as people read them. */

/**
 * A number in three digits, with a power of ten where it would have many zeros.
 *
 * It refers to nothing outside of itself: the page has it too, as text.
 */
export function formatNumber(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return String(value).replace('-', '−');
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e6)) {
    return String(Number(value.toPrecision(size >= 1000 ? 6 : digits))).replace('-', '−');
  }
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e') as [string, string];
  const raised = [...exponent.replace('+', '')].map((sign) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(sign)] ?? '⁻').join('');
  return `${String(Number(mantissa)).replace('-', '−')} × 10${raised}`;
}

/** Decimals that an error says something about: two digits of it. */
export function decimalsOf(error: number): number {
  return Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(error))));
}

/** A number with a fixed count of decimals and a proper minus sign. */
export const fixed = (value: number, decimals: number): string => value.toFixed(decimals).replace('-', '−');
