import * as tf from '@tensorflow/tfjs-core';
import jStat from 'jstat';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { type ActivationName, activationEntry, erf, ACTIVATION_NAMES as NAMES } from '../activations.js';
import { compileExpression } from '../config/expression.js';
import { ACTIVATIONS } from './activation.js';
import { openBackend } from './backend.js';

beforeAll(() => openBackend(inject('backend')));

const row = (...values: number[]) => tf.tensor3d([[values]]);
const phiOf = (name: ActivationName, f: number) =>
  tf.tidy(() => ACTIVATIONS[name].value(row(f)).dataSync()[0]!);

test('erf has the values of a library to 1e-14', () => {
  for (let x = -7; x <= 7; x += 0.01) expect(Math.abs(erf(x) - jStat.erf(x))).toBeLessThan(1e-14);
});

test.each(NAMES)('%s: sigma_hid keeps the size of the features, m sigma_hid^2 E phi(z)^2 = 1', (name) => {
  // The trapezoidal rule over +-12 standard deviations, which for smooth integrands is exact; the kink of ReLU is a node.
  let moment = 0;
  for (let i = -1200; i <= 1200; i++) {
    const z = i / 100;
    moment += (phiOf(name, z) ** 2 * Math.exp(-(z ** 2) / 2)) / 100 / Math.sqrt(2 * Math.PI);
  }
  const sigma = compileExpression(activationEntry(name).sigmaHidden).evaluate({
    L: 3,
    m: 50,
    d: 1,
    k: 1,
    n: 1,
  });
  expect(50 * sigma ** 2 * moment).toBeCloseTo(1, 5);
});

test.each(NAMES)("%s: at sigma_hid |b|^2 changes by E phi'(z)^2 / E phi(z)^2 a layer", (name) => {
  const [h, moments] = [1e-2, [0, 0]];
  for (let i = -1200; i < 1200; i++) {
    const z = (i + 1 / 2) * h;
    const slope = (phiOf(name, z + h / 100) - phiOf(name, z - h / 100)) / (h / 50);
    moments[0]! += slope ** 2 * Math.exp(-(z ** 2) / 2);
    moments[1]! += phiOf(name, z) ** 2 * Math.exp(-(z ** 2) / 2);
  }
  expect(moments[0]! / moments[1]!).toBeCloseTo(activationEntry(name).backwardFactor ?? 1, 3);
});

describe.each(NAMES)('%s', (name) => {
  const activation = ACTIVATIONS[name];
  const POINTS = [-8, -2.3, -0.4, 0.02, 0.7, 3.1];

  test('has the tangent that its values have', () => {
    for (const f of POINTS) {
      const slope = (phiOf(name, f + 0.01) - phiOf(name, f - 0.01)) / 0.02;
      const tangent = tf.tidy(() => activation.tangent(row(f), row(3)).dataSync()[0]!);
      expect(tangent).toBeCloseTo(3 * slope, 3);
    }
  });

  test('has differences that are exact relative to themselves', () => {
    for (const f of POINTS) {
      for (const df of [1e-7, -1e-4, 0.3]) {
        const [x, dx] = [Math.fround(f), Math.fround(df)];
        const difference = tf.tidy(() => activation.difference(row(x), row(dx)).dataSync()[0]!);
        const slope = tf.tidy(() => activation.tangent(row(x), row(1)).dataSync()[0]!);
        const expected = df === 0.3 ? phiOf(name, x + dx) - phiOf(name, x) : slope * dx;
        const tolerance = df === 0.3 ? 1e-6 : Math.abs(dx) * (1e-6 + 2 * Math.abs(dx));
        expect(Math.abs(difference - expected)).toBeLessThan(tolerance);
      }
    }
  });

  test('rises by the integral of its slope, also where it is large, or flat', () => {
    for (const f of [-1e6, -12, -4.5, -0.6, 0.3, 2.5, 5, 12, 1e6]) {
      for (const df of [-2.9, -0.25, 0.02, 0.25, 1.7]) {
        const [x, dx] = [Math.fround(f), Math.fround(df)];
        if (x > 0 !== x + dx > 0) continue;
        const nodes = Array.from({ length: 401 }, (_, i) => Math.fround(x + (i / 400) * dx));
        const slopes = tf.tidy(() =>
          activation.tangent(row(...nodes), row(...nodes.map(() => 1))).dataSync<'float32'>(),
        );
        const simpson = slopes.reduce(
          (sum, slope, i) => sum + slope * (i === 0 || i === 400 ? 1 : i % 2 === 1 ? 4 : 2),
          0,
        );
        const expected = (dx * simpson) / 1200;
        const difference = tf.tidy(() => activation.difference(row(x), row(dx)).dataSync()[0]!);
        // Slopes of 1e-30 and less are lost in float32, and those that fall steeply are known where the node is.
        if (Math.abs(expected) < 1e-30) expect(Math.abs(difference)).toBeLessThan(1e-29);
        else expect(Math.abs(difference / expected - 1)).toBeLessThan(2e-5);
      }
    }
  });

  test('is homogeneous if it says so', () => {
    const isHomogeneous = POINTS.every((f) => Math.abs(phiOf(name, 2 * f) - 2 * phiOf(name, f)) < 1e-6);
    expect(activation.isHomogeneous).toBe(isHomogeneous);
  });
});
