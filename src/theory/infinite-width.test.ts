import { describe, expect, test } from 'vitest';
import { bfaLimit } from './bfa.js';
import { type WideNetwork, wideStep } from './infinite-width.js';

const MLP: WideNetwork = {
  architecture: 'mlp',
  activation: 'relu',
  depth: 12,
  width: 100,
  branchScale: 1,
  sigma: { input: 1, hidden: Math.sqrt(2 / 100), output: 0.1 },
  inputNorm: 1,
  slopeNorm: 1,
  learningRate: 'scale-invariant',
  trainsAll: true,
};

describe('one step at infinite width', () => {
  test.each([
    ['mlp', 'relu', 1],
    ['resnet', 'relu', 1],
    ['resnet', 'linear', 0.3],
  ] as const)('has the angles of bfaLimit: %s, %s, beta = %f', (architecture, activation, branchScale) => {
    const hidden = activation === 'relu' ? MLP.sigma.hidden : 0.1;
    const network = { ...MLP, architecture, activation, branchScale, sigma: { ...MLP.sigma, hidden } };
    const limit = bfaLimit({ architecture, activation, depth: 12, branchScale, trainsInput: true });
    wideStep(network).backwardFeatureAngle.forEach((angle, i) => {
      expect(angle).toBeCloseTo(limit[i + 1]!, 7);
    });
  });

  test('of FSC with the rates of Table 1 has contributions 1/(2L) and 1/(4L), and loss decay (L+2)/(4L)', () => {
    const [L, m] = [MLP.depth, MLP.width];
    const sigma = { ...MLP.sigma, output: Math.sqrt(L) / m };
    const learningRate = Array.from({ length: L + 1 }, (_, l) =>
      l === 1 ? m / L ** 2 : l === L ? 1 / (L * m) : 1 / L ** 2,
    );
    const { contributions } = wideStep({ ...MLP, sigma, learningRate });
    expect(contributions[0]).toBeCloseTo(1 / (2 * L), 12);
    expect(contributions[5]).toBeCloseTo(1 / (4 * L), 12);
    expect(contributions[L - 1]).toBeCloseTo(1 / (2 * L), 12);
    expect(contributions.reduce((sum, C) => sum + C, 0)).toBeCloseTo((L + 2) / (4 * L), 12);
  });

  test('of widths that grow as v^a, at contributions that grow as v^p, has cos^2 = (2 p + 3 - a) / (2 v)', () => {
    const L = 4000;
    for (const [a, p] of [
      [0, 0],
      [1, 0],
      [2, 0],
      [1, 1],
      [2, 2],
      [0, 1],
    ] as const) {
      const widths = Array.from({ length: L - 1 }, (_, i) => 1000 * (i + 1) ** a);
      const sigma = { ...MLP.sigma, hiddenLayers: widths.slice(0, -1).map((m) => Math.sqrt(2 / m)) };
      // |G_l|^2 grows as m_{l-1}.
      const learningRate = Array.from({ length: L + 1 }, (_, l) => (l < 2 ? 0 : l ** p / widths[l - 2]!));
      const step = wideStep({
        ...MLP,
        depth: L,
        width: widths.at(-1)!,
        widths,
        sigma,
        learningRate,
        trainsAll: false,
      });
      const square = Math.cos(step.backwardFeatureAngle.at(-1)!) ** 2;
      expect((2 * L * square) / (2 * p + 3 - a)).toBeCloseTo(1, 1.9);
    }
  });

  test('satisfies both speed formulas, whatever the scales', () => {
    const rates = Array.from({ length: 13 }, (_, l) => 1 + (l % 3));
    const widths = Array.from({ length: 11 }, (_, i) => 60 + 10 * ((3 * i) % 7));
    const hiddenLayers = widths.slice(1).map((_, i) => 0.1 + 0.02 * i);
    const one = wideStep({ ...MLP, sigma: { input: 2, hidden: 0.2, output: 0.3 }, learningRate: rates });
    const several = wideStep({
      ...MLP,
      ...{ width: widths.at(-1)!, widths, learningRate: rates },
      sigma: { input: 2, hidden: Number.NaN, output: 0.3, hiddenLayers },
    });
    for (const step of [one, several])
      for (let v = 1; v < 12; v++) {
        const m = step === one ? MLP.width : widths[v - 1]!;
        const before = step.contributions.slice(0, v).reduce((sum, C) => sum + C, 0);
        const speed = m * step.featureSpeedRms[v - 1]! * step.backwardRms[v - 1]!;
        expect(speed * Math.cos(step.backwardFeatureAngle[v - 1]!)).toBeCloseTo(
          before,
          6 - Math.log10(before),
        );
        const after = step.contributions.slice(v).reduce((sum, C) => sum + C, 0);
        const features = Math.SQRT2 * step.featureRms[v - 1]!; // |f_v| of |g_v|
        const backward = m * step.backwardSpeedRms[v - 1]! * features;
        expect(backward * Math.cos(step.featureBackwardAngle[v - 1]!)).toBeCloseTo(
          after,
          6 - Math.log10(after),
        );
      }
  });

  test('is not known for ReLU branches of a smaller scale, nor backward for a ResNet', () => {
    const step = wideStep({ ...MLP, architecture: 'resnet', branchScale: 0.5 });
    expect(step.featureSpeedRms.at(-1)).toBeNaN();
    expect(step.backwardSpeedRms[0]).toBeNaN();
    expect(step.featureRms[0]).toBeGreaterThan(0);
  });
});
