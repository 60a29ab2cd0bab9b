import { expect, test } from 'vitest';
import { html } from './page/html.js';
import { withSymbols } from './symbols.js';

const set = (text: string) => html`${withSymbols(text)}`.text;

test('formulas in plain text are set with the symbols that they stand for', () => {
  expect(set('|fdot_{L-1}|_rms = Theta(sqrt(L/m))')).toBe('|ḟ<sub>L−1</sub>|<sub>rms</sub> = Θ(√(L/m))');
  expect(set('grow by 2^((L-2)/2), cos(theta_v) ~ v^(-1/2)')).toBe(
    'grow by 2<sup>(L−2)/2</sup>, cos(θ<sub>v</sub>) ~ v<sup>−1/2</sup>',
  );
  expect(set('sum_{l<=v} C_l -> 1')).toBe('∑<sub>l≤v</sub> C<sub>l</sub> → 1');
  expect(set('theta~_v in [0, pi/2], -dloss/dt, (L - v), 0 .. 1.57')).toBe(
    'θ̃<sub>v</sub> in [0, π/2], −dloss/dt, (L − v), 0 … 1.57',
  );
  expect(set('eta_1 = k/(L d), sigma_hid = 2/sqrt(m), -0.5 +- 0.1, MF+muP')).toBe(
    'η<sub>1</sub> = k/(L d), σ<sub>hid</sub> = 2/√m, −0.5 ± 0.1, MF+μP',
  );
});

test('words and what is HTML stay as they are', () => {
  expect(set('the beginning of section 5.1, a sigmoid, thetas < 1')).toBe(
    'the beginning of section 5.1, a sigmoid, thetas &lt; 1',
  );
});
