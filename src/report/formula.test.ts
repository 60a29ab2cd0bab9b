import { describe, expect, test } from 'vitest';
import { equationHtml, formulaHtml } from './formula.js';

const inline = (source: string | number): string =>
  formulaHtml(source, 'inline')
    .text.replace(/<\/?(mrow|math|mi|mn|mo)>/g, '')
    .replaceAll('\u2062', '');

describe('a formula', () => {
  test.each([
    ['1/sqrt(L)', '1/<msqrt>L</msqrt>'],
    ['1/(2*sqrt(L))', '1/(2<msqrt>L</msqrt>)'],
    ['sqrt(k*L)/m', '<msqrt>kL</msqrt>/m'],
    ['1/(beta*beta*L)', '1/(<msup>β2</msup>L)'],
    ['(L+1)*m - 2/d', '(L+1)m−2/d'],
    ['L*(m-(d-k))', 'L(m−(d−k))'],
    ['1/(m/d)', '1/(m/d)'],
    ['pow(L*m, 3)', '<msup>(Lm)3</msup>'],
    ['L/m*2', 'L/m·2'],
    ['-L', '−L'],
    ['max(L, exp(m))', 'max(L,exp(m))'],
    [0.01, '0.01'],
  ])('%s keeps its meaning when it is set in a line', (source, expected) => {
    expect(inline(source)).toBe(expected);
  });

  test('has a bar for its quotient where there is room', () => {
    expect(formulaHtml('sqrt(2/m)').text).toBe(
      '<math displaystyle="true"><msqrt><mfrac><mrow><mn>2</mn></mrow><mrow><mi>m</mi></mrow></mfrac></msqrt></math>',
    );
  });

  test('stands on the right of its name', () => {
    expect(equationHtml('beta', 1).text).toBe('<math><mi>β</mi><mo>=</mo><mn>1</mn></math>');
  });

  test('is refused when an experiment file would refuse it', () => {
    expect(() => formulaHtml('L^2')).toThrow('pow(a, b)');
    expect(() => formulaHtml('scale-invariant')).toThrow('not known');
  });
});
