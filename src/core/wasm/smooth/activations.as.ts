/**
 * The smooth activations, entry by entry, in float64 and rounded once at the end. They are made of the distribution functions P
 * of two laws, which are symmetrical about 0:
 *
 *     logistic    tanh(x) = 2 P(2 x) - 1          silu(x) = x P(x)
 *     normal      erf(x)  = 2 P(sqrt(2) x) - 1    gelu(x) = x P(x)
 *
 * Nothing cancels but what does in the result: what lies beyond |x|, the tail P(-|x|), is known relative to itself, and with it
 * what is lacked of an asymptote. With n the nearer to 0 of x and y = x + dx, and f the farther,
 *
 *     y P(y) - x P(x) = dx P(f) + n (P(y) - P(x))
 *
 * Each pair of entries is computed alike, wherever it is.
 */
import { logistic } from './logistic.as';
import { fillMills, normal } from './normal.as';
import { BEND, DIFFERENCE, TANGENT, VALUE } from './operations.as';
import { placeTable } from './pairs.as';

export { TABLE_BYTES } from './pairs.as';

/** Once, before anything else: where TABLE_BYTES are kept. */
export function placeNumbers(at: usize): void {
  placeTable(at);
  fillMills();
}

/** Two entries at a time; at an odd end one and a zero. */
@inline
function sweep(isNormal: bool, isGated: bool, operation: u32, out: usize, f: usize, t: usize, count: u32): void {
  const end = f + ((<usize>count) << 2);
  for (; f < end; f += 8, t += 8, out += 8) {
    const isPair = f + 8 <= end;
    const x = f64x2.promote_low_f32x4(isPair ? v128.load64_zero(f) : v128.load32_zero(f));
    const y = f64x2.promote_low_f32x4(isPair ? v128.load64_zero(t) : v128.load32_zero(t));
    const result = isNormal ? normal(isGated, operation, x, y) : logistic(isGated, operation, x, y);
    const rounded = f32x4.demote_f64x2_zero(result);
    if (isPair) v128.store64_lane(out, rounded, 0);
    else v128.store32_lane(out, rounded, 0);
  }
}

@inline
function apply(isNormal: bool, isGated: bool, operation: u32, out: usize, f: usize, t: usize, count: u32): void {
  if (operation == VALUE) sweep(isNormal, isGated, VALUE, out, f, t, count);
  else if (operation == TANGENT) sweep(isNormal, isGated, TANGENT, out, f, t, count);
  else if (operation == BEND) sweep(isNormal, isGated, BEND, out, f, t, count);
  else sweep(isNormal, isGated, DIFFERENCE, out, f, t, count);
}

// Each by its name in `activations.ts`: out = what is asked for of f, and t, of `count` entries.

export function tanh(operation: u32, out: usize, f: usize, t: usize, count: u32): void {
  apply(false, false, operation, out, f, t, count);
}

export function silu(operation: u32, out: usize, f: usize, t: usize, count: u32): void {
  apply(false, true, operation, out, f, t, count);
}

export function erf(operation: u32, out: usize, f: usize, t: usize, count: u32): void {
  apply(true, false, operation, out, f, t, count);
}

export function gelu(operation: u32, out: usize, f: usize, t: usize, count: u32): void {
  apply(true, true, operation, out, f, t, count);
}
