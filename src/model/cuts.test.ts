import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCuts, SINK } from './cuts.js';

test('a residual block is a cut where the branches meet, and not within', () => {
  // embed -> in -> out -> add -> readout -> loss, and embed -> add
  const successors = [[1, 3], [2], [3], [4], [SINK]];
  const { isCut, isGlobal, before } = findCuts({ successors, weights: [[0], [1], [2], [4]] });
  expect(isCut).toEqual([true, false, false, true, true]);
  expect(isGlobal).toEqual([true, false, false, true, true]);
  expect(before).toEqual([[0], [0, 1], [0, 1, 2], [0, 1, 2], [0, 1, 2, 3]]);
});

test('with a frozen embedding the branch is a cut for its own weights, but the network passes it by', () => {
  const successors = [[1, 3], [2], [3], [4], [SINK]];
  expect(findCuts({ successors, weights: [[1], [4]] }).isCut).toEqual([true, true, true, true, true]);
  const two = findCuts({ successors: [[2], [2], [SINK]], weights: [[0], [1]] });
  expect([two.isCut, two.isGlobal]).toEqual([
    [true, true, true],
    [false, false, true],
  ]);
});

test('weights that are used on both sides of a call are not all before it', () => {
  const chain = [[1], [2], [SINK]];
  expect(findCuts({ successors: chain, weights: [[0, 2]] }).isCut).toEqual([false, false, true]);
});

test('on any graph a call is a cut where every path from weights before it passes it, by walking all paths', () => {
  const graphs = fc.integer({ min: 1, max: 7 }).chain((count) =>
    fc.record({
      edges: fc.array(fc.boolean(), { minLength: count * count, maxLength: count * count }),
      ends: fc.array(fc.boolean(), { minLength: count, maxLength: count }),
      owners: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: count, maxLength: count }),
    }),
  );
  fc.assert(
    fc.property(graphs, ({ edges, ends, owners }) => {
      const count = ends.length;
      const successors = ends.map((isEnd, i) => [
        ...ends.flatMap((_, j) => (j > i && edges[i * count + j] ? [j] : [])),
        ...(isEnd ? [SINK] : []),
      ]);
      const weights = [1, 2, 3].map((owner) => owners.flatMap((own, i) => (own === owner ? [i] : [])));
      /** Whether a path leads from u to `to` that does not pass v. */
      const leads = (u: number, to: number, v?: number): boolean =>
        u !== v && (u === to || (u !== SINK && successors[u]!.some((next) => leads(next, to, v))));
      const { isCut, before } = findCuts({ successors, weights });
      ends.forEach((_, v) => {
        const groups = weights.flatMap((uses, group) => (uses.some((u) => leads(u, v)) ? [group] : []));
        expect(before[v]).toEqual(groups);
        expect(isCut[v]).toBe(groups.every((group) => weights[group]!.every((u) => !leads(u, SINK, v))));
      });
    }),
    { numRuns: 300 },
  );
});
