import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { tab10 } from '../charts/theme.js';
import type { Row } from './agreement.js';
import { FIGURES, type Figure, seriesPresent } from './figures.js';
import { PUBLISHED } from './published.js';

const figure = (number: string): Figure => FIGURES.find((each) => each.number === number)!;

const agreement = (number: string, rows: readonly Row[]) =>
  figure(number).agreement(rows, seriesPresent(figure(number), rows));

const output = { layer: 99, depth: 100, draw: 0, scaling: 'MF+muP', samples: 1, output_width: 1 };

describe('the curves of a figure', () => {
  test.each(FIGURES.map(({ name }) => name))('of %s have the values and colours of its spec', (name) => {
    const { series, seriesField } = FIGURES.find((each) => each.name === name)!;
    const spec = readFileSync(new URL(`../../configs/${name}.vl.json`, import.meta.url), 'utf8');
    const { layer, encoding } = JSON.parse(spec);
    const measured = layer.find((each: { name: string }) => each.name === 'measured');
    const { field, sort, scale } = measured.encoding.color ?? encoding.color;
    expect(field).toBe(seriesField);
    const values: readonly unknown[] = sort ?? scale.domain;
    expect(series.map(({ value, color }) => [value, tab10[color]])).toEqual(
      values.map((value, i) => [value, scale.range[i]]),
    );
  });

  test.each(Object.entries(PUBLISHED))('of %s that were published are there', (name, published) => {
    const { series } = FIGURES.find((each) => each.name === name)!;
    const known = series.flatMap(({ value, label }) => [String(value), label]);
    expect(Object.keys(published).filter((label) => !known.includes(label) && label !== 'quotient')).toEqual(
      [],
    );
  });
});

describe('agreement', () => {
  test('of 1a is the mean of the draws at the last layer, its error, and the distance from theory', () => {
    const rows = [0.6, 0.7, 0.8].flatMap((bfa_rad, draw) => [
      { ...output, draw, branch_scale_formula: '1/sqrt(L)', bfa_rad, bfa_theory_rad: 0.75 },
      { ...output, draw, branch_scale_formula: '1/sqrt(L)', layer: 50, bfa_rad: 9, bfa_theory_rad: 9 },
    ]);
    const [row, ...others] = agreement('1a', rows);
    expect(others).toEqual([]);
    expect(row).toMatchObject({ label: 'β = 1/√L', published: '0.71', theory: 0.75 });
    expect(row!.measured.value).toBeCloseTo(0.7, 12);
    expect(row!.measured.standardError).toBeCloseTo(0.1 / Math.sqrt(3), 12);
    expect(row!.z).toBeCloseTo(-0.05 / (0.1 / Math.sqrt(3)), 12);
  });

  test('of one draw has neither error nor z', () => {
    const [row] = agreement('1a', [
      { ...output, branch_scale_formula: '1', bfa_rad: 1.5, bfa_theory_rad: 1.48 },
    ]);
    expect(row).toMatchObject({ measured: { value: 1.5, standardError: null, count: 1 }, z: null });
  });

  test('of 1b takes its error from what is spread around theory, not from the trend, and no shallow networks', () => {
    const rows = [10, 50, 100, 200].map((depth, i) => ({
      ...output,
      depth,
      layer: depth - 1,
      branch_scale_formula: '1/L',
      bfa_rad: 1 / depth + (i % 2 === 0 ? 0.001 : -0.001),
      bfa_theory_rad: 1 / depth,
    }));
    const [row] = agreement('1b', rows);
    expect(row!.measured.count).toBe(3);
    expect(row!.measured.standardError).toBeCloseTo(0.002 / 3, 12);
  });

  test('of 2a is at unit residual when each sensitivity is multiplied by its residual', () => {
    const rows = [0.5, 1, 2].map((residual, draw) => ({
      ...output,
      draw,
      scaling: 'FSC',
      branch_scale: 1,
      loss: residual ** 2 / 2,
      sensitivity_finite: 0.8 / residual,
      sensitivity_theory: 0.8,
    }));
    const unit = agreement('2a', rows).find(({ label }) => label.includes('unit residual'));
    expect(unit!.measured.value).toBeCloseTo(1, 12);
    expect(unit!.measured.standardError).toBeCloseTo(0, 12);
  });

  test('of 2b has the quotient of the two means with its error', () => {
    const rows = [9, 11, 4, 6].map((sensitivity_finite, i) => ({
      ...output,
      draw: i % 2,
      branch_scale_formula: i < 2 ? '1/sqrt(L)' : '1/L',
      sensitivity_finite,
    }));
    const quotient = agreement('2b', rows).at(-1)!;
    expect(quotient).toMatchObject({ label: 'quotient of the means', published: '1.34', theory: null });
    expect(quotient.measured.value).toBe(2);
    expect(quotient.measured.standardError).toBeCloseTo(2 * Math.hypot(1 / 10, 1 / 5), 12);
  });
});
