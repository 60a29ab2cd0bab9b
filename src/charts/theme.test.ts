import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { tab10 } from './theme.js';

type Triple = readonly [number, number, number];

/** Linear RGB -> what is seen without one kind of cones (Machado, Oliveira, Fernandes 2009, severity 1). */
const BLINDNESS: Readonly<Record<string, readonly Triple[]>> = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
};

/** What is told apart at a glance. */
const FAR = 40;

const times = (matrix: readonly Triple[], [a, b, c]: Triple): Triple =>
  matrix.map(([x, y, z]) => x * a + y * b + z * c) as unknown as Triple;

const linear = (colour: string): Triple =>
  [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as unknown as Triple;

/** CIE 1976 L*a*b* of linear sRGB. */
function lab(rgb: Triple): Triple {
  const [x, y, z] = times(
    [
      [0.4124 / 0.9505, 0.3576 / 0.9505, 0.1805 / 0.9505],
      [0.2126, 0.7152, 0.0722],
      [0.0193 / 1.089, 0.1192 / 1.089, 0.9505 / 1.089],
    ],
    rgb.map((value) => Math.min(1, Math.max(0, value))) as unknown as Triple,
  ).map((t) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27) * (t / 116) + 16 / 116)) as unknown as Triple;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Distance of two colours as they are seen; 2.3 is just noticeable side by side. */
function distance(one: string, other: string, matrix: readonly Triple[]): number {
  const [a, b] = [one, other].map((colour) => lab(times(matrix, linear(colour))));
  return Math.hypot(...a!.map((value, i) => value - b![i]!));
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;
const all = (node: unknown): readonly Json[] =>
  isObject(node) ? [node, ...Object.values(node).flatMap(all)] : [];

describe('to those who do not tell red from green', () => {
  test.each(Object.entries(BLINDNESS))(
    'with %s blue is far from orange, and orange is not from green',
    (_, matrix) => {
      const { blue, orange, green } = tab10;
      expect(distance(blue, orange, matrix)).toBeGreaterThan(FAR);
      expect(distance(orange, green, matrix)).toBeLessThan(FAR);
    },
  );

  const specs = readdirSync('configs').filter((file) => file.endsWith('.vl.json'));
  test.each(specs)('%s tells curves apart by more than colour, or by colours that are far apart', (file) => {
    const parts = all(JSON.parse(readFileSync(`configs/${file}`, 'utf8')));
    const fields = new Set(
      parts.flatMap(({ color }) => (isObject(color) && typeof color.field === 'string' ? [color.field] : [])),
    );
    const channels = parts.flatMap(({ text, strokeDash, shape }) => [strokeDash, shape, text]);
    for (const field of fields) {
      const isNamed = channels.some((channel) => isObject(channel) && channel.field === field);
      // A colour that stands for something else stands beside its name.
      const isLabelled = parts.some(({ mark }) => isObject(mark) && mark.style === 'label');
      const [domain = []] = parts.flatMap(({ legend }) =>
        isObject(legend) && Array.isArray(legend.values) ? [legend.values] : [],
      );
      const isBlueAndOrange = domain.length === 2;
      // Viridis rises in lightness, which everybody sees.
      const isOrdered = parts.some(
        ({ field: own, scale }) => own === field && isObject(scale) && scale.scheme === 'viridis',
      );
      expect(isNamed || isLabelled || isBlueAndOrange || isOrdered).toBe(true);
    }
  });
});
