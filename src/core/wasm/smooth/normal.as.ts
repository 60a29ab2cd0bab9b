/** erf and gelu, by the normal law: P(-a) = p(a) times Mills' ratio. */
import { BEND, DIFFERENCE, TANGENT } from './operations.as';
import {
  both,
  bounded,
  choose,
  coefficient,
  even,
  isAcross,
  isPositive,
  least,
  line,
  MILLS,
  MILLS_BELOW,
  one,
  power,
  put,
  rest,
  signed,
  turns,
} from './pairs.as';

/** exp(-FAR^2 / 2), times any float32, is 0 in float32. */
const FAR: f64 = 20;
/** A change of this size is the slope in its middle times itself, to 4e-10; a larger one the difference of two tails, to 1e-9. */
const SMALL: f64 = 1.0 / 262144.0; // 2^-18
/** Up to here three terms of a series are 2 P(a) - 1, to 4e-14. */
const CENTRE: f64 = 1.0 / 64.0;
/** 1 / sqrt(2 pi). */
const DENSITY: f64 = 0.3989422804014327;

/**
 * exp(a^2 / 2) P(-a), which falls from 1/2 as slowly as DENSITY / a, as a quotient of two polynomials; of all of their degrees it
 * has nearly the least error relative to itself on 0 .. FAR, 6e-16.
 */
export function fillMills(): void {
  put(MILLS, 0.5000000000000002);
  put(MILLS + 8, 0.6995793322114028);
  put(MILLS + 16, 0.48444723003874574);
  put(MILLS + 24, 0.21072424005902746);
  put(MILLS + 32, 0.06226929487292165);
  put(MILLS + 40, 0.012749921107157702);
  put(MILLS + 48, 0.0017687391895587887);
  put(MILLS + 56, 0.00015296551286822152);
  put(MILLS + 64, 6.402859006789374e-6);
  put(MILLS_BELOW, 1.0);
  put(MILLS_BELOW + 8, 2.197043225225769);
  put(MILLS_BELOW + 16, 2.2218813288988457);
  put(MILLS_BELOW + 24, 1.3616931960690293);
  put(MILLS_BELOW + 32, 0.5594008590772584);
  put(MILLS_BELOW + 40, 0.1604873906105505);
  put(MILLS_BELOW + 48, 0.03234274268682855);
  put(MILLS_BELOW + 56, 0.004449621188432184);
  put(MILLS_BELOW + 64, 0.00038342768064331985);
  put(MILLS_BELOW + 72, 1.6049587416789678e-5);
}

@inline
function mills(a: v128): v128 {
  const aa = f64x2.mul(a, a);
  const a4 = f64x2.mul(aa, aa);
  const low = f64x2.add(line(a, MILLS), f64x2.mul(aa, line(a, MILLS + 16)));
  const high = f64x2.add(line(a, MILLS + 32), f64x2.mul(aa, line(a, MILLS + 48)));
  return f64x2.add(low, f64x2.mul(a4, f64x2.add(high, f64x2.mul(a4, coefficient(MILLS + 64)))));
}

@inline
function millsBelow(a: v128): v128 {
  const aa = f64x2.mul(a, a);
  const a4 = f64x2.mul(aa, aa);
  const low = f64x2.add(line(a, MILLS_BELOW), f64x2.mul(aa, line(a, MILLS_BELOW + 16)));
  const high = f64x2.add(line(a, MILLS_BELOW + 32), f64x2.mul(aa, line(a, MILLS_BELOW + 48)));
  return f64x2.add(low, f64x2.mul(a4, f64x2.add(high, f64x2.mul(a4, line(a, MILLS_BELOW + 64)))));
}

/** |x| in standard deviations. */
@inline
function deviations(isGated: bool, x: v128): v128 {
  const size = f64x2.abs(x);
  return least(isGated ? size : f64x2.mul(both(Math.SQRT2), size), both(FAR));
}

/** p(a). */
@inline
function density(a: v128): v128 {
  const y = f64x2.mul(f64x2.mul(both(-0.5), a), a);
  const k = turns(y);
  const r = rest(y, k);
  const R = even(r);
  const above = f64x2.mul(power(k), f64x2.add(R, r));
  return f64x2.mul(both(DENSITY), f64x2.div(above, f64x2.sub(R, r)));
}

/** P(-a); or P(-a) - a p(a), what the slope of x P(x) lacks of 1, or of 0. */
@inline
function tail(a: v128, isOfSlope: bool): v128 {
  const y = f64x2.mul(f64x2.mul(both(-0.5), a), a);
  const k = turns(y);
  const r = rest(y, k);
  const R = even(r);
  const above = f64x2.mul(power(k), f64x2.add(R, r));
  const below = millsBelow(a);
  let share = mills(a);
  if (isOfSlope) share = f64x2.sub(share, f64x2.mul(f64x2.mul(both(DENSITY), a), below));
  return f64x2.div(f64x2.mul(above, share), f64x2.mul(f64x2.sub(R, r), below));
}

@inline
export function normal(isGated: bool, operation: u32, x: v128, t: v128): v128 {
  if (operation == DIFFERENCE) return rise(isGated, x, t);
  if (operation == TANGENT) return f64x2.mul(slope(isGated, x), t);
  const a = deviations(isGated, x);
  if (operation == BEND) {
    const factor = isGated ? f64x2.sub(both(2), f64x2.mul(a, a)) : f64x2.mul(both(-4), signed(a, x));
    return f64x2.mul(f64x2.mul(density(a), factor), t);
  }
  const beyond = tail(a, false);
  const body = f64x2.sub(one(), beyond);
  if (isGated) return f64x2.mul(bounded(x), choose(isPositive(x), body, beyond));
  const aa = f64x2.mul(a, a);
  const bent = f64x2.add(f64x2.mul(aa, both(1.0 / 40.0)), both(-1.0 / 6.0));
  const series = f64x2.mul(f64x2.mul(both(2 * DENSITY), a), f64x2.add(f64x2.mul(bent, aa), one()));
  return signed(choose(f64x2.lt(a, both(CENTRE)), series, f64x2.sub(body, beyond)), x);
}

@inline
function slope(isGated: bool, x: v128): v128 {
  const a = deviations(isGated, x);
  if (!isGated) return f64x2.mul(both(2 * Math.SQRT2), density(a));
  const lack = tail(a, true);
  return choose(isPositive(x), f64x2.sub(one(), lack), lack);
}

@inline
function rise(isGated: bool, x: v128, dx: v128): v128 {
  const isSmall = f64x2.lt(f64x2.abs(dx), both(SMALL));
  let small = dx;
  if (v128.any_true(isSmall)) {
    small = f64x2.mul(slope(isGated, f64x2.add(x, f64x2.mul(both(0.5), dx))), dx);
    if (i64x2.all_true(isSmall)) return small;
  }
  const y = f64x2.add(x, dx);
  const isNearX = f64x2.lt(f64x2.abs(x), f64x2.abs(y));
  const near = choose(isNearX, x, y);
  const far = choose(isNearX, y, x);
  const nearTail = tail(deviations(isGated, near), false);
  const farTail = tail(deviations(isGated, far), false);
  const nearPart = choose(isAcross(x, y), f64x2.sub(one(), nearTail), nearTail);
  const change = signed(f64x2.sub(nearPart, farTail), dx);
  if (!isGated) return choose(isSmall, small, f64x2.add(change, change));
  const farPart = choose(isPositive(far), f64x2.sub(one(), farTail), farTail);
  const sum = f64x2.add(f64x2.mul(bounded(dx), farPart), f64x2.mul(bounded(near), change));
  return choose(isSmall, small, sum);
}
