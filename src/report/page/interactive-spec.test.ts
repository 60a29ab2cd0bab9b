import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FIGURES } from '../figures.js';
import { compileForPage, interactiveSpec } from './interactive-spec.js';

interface Mark {
  readonly clip?: boolean;
  readonly marks?: readonly Mark[];
}

describe.each(FIGURES)('the chart of $name on the page', (figure) => {
  const spec = JSON.parse(
    readFileSync(new URL(`../../../configs/${figure.name}.vl.json`, import.meta.url), 'utf8'),
  );
  const shown = interactiveSpec(spec, figure, [], { hasDraws: true, hasTheory: true });

  test('has one name on each axis, and draws nothing beyond them', async () => {
    const { axes = [], marks = [] } = await compileForPage(shown.vegaLite);
    const titles = axes.flatMap(({ title }) => (title === undefined ? [] : [title]));
    expect(titles).toEqual([figure.xTitle, figure.yTitle]);
    const cut = (mark: Mark): boolean => mark.marks?.every(cut) ?? mark.clip === true;
    expect((marks as readonly Mark[]).every(cut)).toBe(true);
  });
});
