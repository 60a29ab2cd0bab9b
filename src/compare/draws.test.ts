import { expect, test } from 'vitest';
import { matchDraws } from './draws.js';

test('the steps of a network are compared as one network: what it has at several of them is no independent draw', () => {
  const table = (by: number) => ({
    columns: ['draw', 'depth', 'layer', 'loss', 'step_number'],
    rows: [0, 1, 2].flatMap((draw) =>
      [1, 2, 3, 4].map((step) => [draw, 5, 4, 1 + by * draw + step / 100, step]),
    ),
  });
  const [before, after] = [table(0.1), table(0.2)];
  const draws = matchDraws(before, after, ['draw', 'depth', 'layer', 'step_number']);
  const settings = draws.settings(['loss']);
  expect(settings).toHaveLength(1);
  expect(settings[0]!.samples(0)).toHaveLength(4);
  for (const { before: own } of settings[0]!.samples(0)) expect(own).toHaveLength(3);
  expect(draws).toMatchObject({ added: 0, removed: 0, common: 4 });
});
