/** tanh and silu, by the logistic law: P(a) = 1 / (1 + exp(-a)). */
import {
  both,
  bounded,
  choose,
  even,
  isAcross,
  isPositive,
  least,
  missing,
  one,
  power,
  rest,
  signed,
  turns,
} from './pairs.as';
import { BEND, DIFFERENCE, TANGENT, VALUE } from './operations.as';

/** exp(-200), times any float32, is 0 in float32: no exponent need be less. */
const LEAST: f64 = 200;
/** In differences exp(-400), times any float32, must be nothing beside exp(-200). */
const LEAST_RISE: f64 = 400;

@inline
export function logistic(isGated: bool, operation: u32, x: v128, t: v128): v128 {
  if (operation == DIFFERENCE) return rise(isGated, x, t);
  const size = f64x2.abs(x);
  const a = least(isGated ? size : f64x2.add(size, size), both(LEAST));
  const y = f64x2.neg(a);
  const k = turns(y);
  const r = rest(y, k);
  const s = power(k);
  const R = even(r);
  const above = f64x2.mul(s, f64x2.add(R, r));
  const below = f64x2.sub(R, r);
  const scale = f64x2.div(one(), f64x2.add(above, below));
  const tail = f64x2.mul(above, scale); // P(-a)
  const body = f64x2.mul(below, scale); // P(a)
  const centre = f64x2.mul(missing(s, R, r), scale); // P(a) - P(-a)
  const density = f64x2.mul(tail, body);
  if (!isGated) {
    if (operation == VALUE) return signed(centre, x);
    const slope = f64x2.mul(both(4), density);
    if (operation == TANGENT) return f64x2.mul(slope, t);
    return f64x2.mul(f64x2.mul(f64x2.mul(both(-2), slope), signed(centre, x)), t);
  }
  if (operation == VALUE) return f64x2.mul(bounded(x), choose(isPositive(x), body, tail));
  if (operation == BEND) {
    return f64x2.mul(f64x2.mul(density, f64x2.sub(both(2), f64x2.mul(a, centre))), t);
  }
  const lack = f64x2.mul(tail, f64x2.sub(one(), f64x2.mul(a, body)));
  return f64x2.mul(choose(isPositive(x), f64x2.sub(one(), lack), lack), t);
}

/**
 * With m = exp(-|n|) and e = exp(-|dx|), exp(-|f|) is m e on one side of 0, and e / m across, so that the parts of 1 on the right
 * and on the left of |f| are as 1 to m e, or m to e; and P(|n|) = 1 / (1 + m). A rise is (1 - e) m / (1 + m), over the sum of
 * these parts.
 */
@inline
function rise(isGated: bool, x: v128, dx: v128): v128 {
  const y = f64x2.add(x, dx);
  const nearest = least(f64x2.abs(y), f64x2.abs(x)); // NaN where y is
  const a = f64x2.neg(least(isGated ? nearest : f64x2.add(nearest, nearest), both(LEAST)));
  const k = turns(a);
  const r = rest(a, k);
  const R = even(r);
  const above = f64x2.mul(power(k), f64x2.add(R, r));
  const below = f64x2.sub(R, r);

  const size = f64x2.abs(dx);
  const b = f64x2.neg(least(isGated ? size : f64x2.add(size, size), both(LEAST_RISE)));
  const turnsOfRise = turns(b);
  const q = rest(b, turnsOfRise);
  const s = power(turnsOfRise);
  const Q = even(q);
  const across = isAcross(x, y);
  const right = f64x2.mul(f64x2.sub(Q, q), choose(across, above, below));
  const left = f64x2.mul(f64x2.mul(s, f64x2.add(Q, q)), choose(across, below, above));

  const sum = f64x2.add(above, below);
  const scale = f64x2.div(one(), f64x2.mul(sum, f64x2.add(right, left)));
  const change = signed(f64x2.mul(missing(s, Q, q), f64x2.mul(above, below)), dx);
  if (!isGated) return f64x2.mul(f64x2.add(change, change), scale);
  const isNearX = f64x2.lt(f64x2.abs(x), f64x2.abs(y));
  const near = bounded(choose(isNearX, x, y));
  const isRight = isPositive(choose(isNearX, y, x));
  const part = f64x2.mul(choose(isRight, right, left), sum);
  const whole = f64x2.add(f64x2.mul(bounded(dx), part), f64x2.mul(near, change));
  return f64x2.mul(whole, scale);
}
