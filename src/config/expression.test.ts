import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { twelveDigits } from '../quantities.js';
import { compileExpression, ExpressionError, type Values } from './expression.js';

const VALUES: Values = { L: 100, m: 50, d: 4, k: 2, n: 8, beta: 0.5 };

const ALLOWED =
  'allowed are numbers, L, m, d, k, n, beta, pi, e, + - * / ( ) and sqrt, exp, log, pow, abs, round, min, max';

describe('compileExpression', () => {
  it.each([
    [0.25, 0.25],
    [-3, -3],
    ['1/sqrt(L)', 0.1],
    ['1/(2*sqrt(L))', 0.05],
    ['sqrt(k*L)/m', Math.sqrt(200) / 50],
    ['sqrt(2/m)', 0.2],
    ['-beta + 1', 0.5],
    ['+d', 4],
    ['n - m - 2', -44],
    ['8 / 4 / 2', 1],
    ['1 + 2*3', 7],
    ['pow(L, -0.5)', 0.1],
    ['min(L, m, d)', 4],
    ['max(1, abs(-3))', 3],
    ['exp(0) + log(e) + pi - pi', 2],
    ['1e-3', 0.001],
    [' .5 ', 0.5],
  ])('evaluates %s to %d', (source, value) => {
    expect(compileExpression(source).evaluate(VALUES)).toBe(twelveDigits(value));
  });

  it.each([
    ['L^2', `the operator "^" is not allowed; a power is written pow(a, b); ${ALLOWED}`],
    ['L**2', `"**" is not allowed; a power is written pow(a, b); ${ALLOWED}`],
    ['L % 2', `the operator "%" is not allowed; ${ALLOWED}`],
    ['!L', `the operator "!" is not allowed; ${ALLOWED}`],
    ['L && m', `the operator "&&" is not allowed; ${ALLOWED}`],
    ['L > 2 ? 1 : 0', `a condition "? :" is not allowed; ${ALLOWED}`],
    ['process.exit', `the member access ".exit" is not allowed; ${ALLOWED}`],
    ['L["m"]', `the member access "[ ]" is not allowed; ${ALLOWED}`],
    ['L.constructor("x")', `only a function may be called; ${ALLOWED}`],
    ['eval(1)', `the function "eval" is not known; ${ALLOWED}`],
    ['toString(1)', `the function "toString" is not known; ${ALLOWED}`],
    ['sqrt(1, 2)', `sqrt takes 1 argument(s), got 2; ${ALLOWED}`],
    ['max()', `max takes at least 1 argument(s), got 0; ${ALLOWED}`],
    ['depth', `the name "depth" is not known here; ${ALLOWED}`],
    ['constructor', `the name "constructor" is not known here; ${ALLOWED}`],
    ['sqrt', `the name "sqrt" is not known here; ${ALLOWED}`],
    ['L = 2', `an assignment "=" is not allowed; ${ALLOWED}`],
    ['L => 2', `a function "=>" is not allowed; ${ALLOWED}`],
    ['L++', `"++" and "--" are not allowed; ${ALLOWED}`],
    ['"L"', `"L" is not a number; ${ALLOWED}`],
    ['true', `true is not a number; ${ALLOWED}`],
    ['[1]', `a list "[ ]" is not allowed; ${ALLOWED}`],
    ['{"a": 1}', `an object "{ }" is not allowed; ${ALLOWED}`],
    ['2 sqrt(L)', `it cannot be read; a product is written with "*"; ${ALLOWED}`],
    ['1 + ', `it ends too early; ${ALLOWED}`],
    ['1 + )', `")" is out of place; ${ALLOWED}`],
    ['  ', `it is empty; ${ALLOWED}`],
    ['1'.repeat(501), `it is longer than 500 characters; ${ALLOWED}`],
  ])('refuses %s, saying why', (source, message) => {
    expect(() => compileExpression(source)).toThrow(new ExpressionError(message));
  });

  it('knows only the names it is given', () => {
    expect(() => compileExpression('beta', ['L'])).toThrow('the name "beta" is not known here');
  });

  it.each([
    ['1/(d - 4)', '1/(d - 4) is Infinity at d = 4'],
    ['log(k - L)', 'log(k - L) is NaN at k = 2, L = 100'],
    ['1/0', '1/0 is Infinity'],
  ])('says where %s has no finite value', (source, message) => {
    expect(() => compileExpression(source).evaluate(VALUES)).toThrow(new ExpressionError(message));
  });

  it('throws nothing but ExpressionError, whatever the text', () => {
    const pieces = [
      'L',
      'beta',
      'sqrt',
      '(',
      ')',
      '*',
      '/',
      '-',
      '.',
      '[',
      ']',
      '"',
      ',',
      '1',
      '{',
      '=',
      '^',
      ' ',
    ];
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (source) => {
        try {
          expect(compileExpression(source).evaluate(VALUES)).toSatisfy(Number.isFinite);
        } catch (error) {
          expect(error).toBeInstanceOf(ExpressionError);
        }
      }),
      { numRuns: process.env.FEATURE_SPEED_SLOW ? 10_000 : 500 },
    );
  });
});
