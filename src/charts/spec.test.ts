import { describe, expect, test } from 'vitest';
import { mentionedColumns, misshapenView, missingFields, withData, withoutHoverTargets } from './spec.js';

const data = { name: 'table' };

describe('missingFields', () => {
  test('finds fields of encodings, transforms and expressions', () => {
    const spec = {
      data,
      transform: [
        { calculate: "datum.a + datum['b']", as: 'sum' },
        { filter: 'datum.c > 0' },
        { aggregate: [{ op: 'mean', field: 'd', as: 'mean' }], groupby: ['e', 'sum'] },
      ],
      mark: 'point',
      encoding: { x: { field: 'f' }, y: { field: 'mean' }, color: { field: 'sum' } },
    };
    expect(missingFields(spec, ['a'])).toEqual(['b', 'c', 'd', 'e', 'f']);
    expect(missingFields(spec, ['a', 'b', 'c', 'd', 'e', 'f'])).toEqual([]);
  });

  test('lets a field be absent that the spec tests with isValid', () => {
    const spec = {
      data,
      layer: [
        {
          transform: [{ filter: 'isValid(datum.theory)' }],
          mark: 'line',
          encoding: { y: { field: 'theory' } },
        },
      ],
    };
    expect(missingFields(spec, ['depth'])).toEqual([]);
  });

  test('leaves parts alone that bring their own data, and labels of axes', () => {
    const spec = {
      data,
      layer: [
        { data: { values: [{ u: 1 }] }, mark: 'text', encoding: { text: { field: 'u' } } },
        { mark: 'point', encoding: { x: { field: 'x', axis: { labelExpr: 'datum.value' } } } },
      ],
    };
    expect(missingFields(spec, ['x'])).toEqual([]);
  });
});

describe('mentionedColumns', () => {
  test('keeps a column named as a field or in an expression, and not one that is part of another name', () => {
    const spec = {
      data,
      transform: [{ filter: 'datum.layer === datum.depth - 1' }],
      encoding: { y: { field: 'bfa_rad' } },
    };
    expect(mentionedColumns(spec, ['depth', 'width', 'layer', 'bfa', 'bfa_rad'])).toEqual([
      'depth',
      'layer',
      'bfa_rad',
    ]);
  });
});

describe('misshapenView', () => {
  test('says where a view has no mark, or one that does not exist', () => {
    expect(misshapenView({ data, encoding: {} })).toBe(
      'the spec: expected one of mark, layer, concat, hconcat, vconcat, spec; it has data, encoding',
    );
    expect(misshapenView({ data, layer: [{ mark: 'line' }, { mark: { type: 'blob' } }] })).toMatch(
      /^layer\[1\]\.mark: expected one of arc, .*, got "blob"$/,
    );
    expect(misshapenView({ data, facet: {}, spec: { mark: 'point' } })).toBeUndefined();
  });
});

describe('rewriting', () => {
  test('puts the data in place of every mention of the table, and only there', () => {
    const url = { url: 'table.csv' };
    const own = { values: [1] };
    expect(withData({ data, layer: [{ data }, { data: own, from: { data } }] }, 'table', url)).toEqual({
      data: url,
      layer: [{ data: url }, { data: own, from: { data: url } }],
    });
  });

  test('drops invisible layers at every depth', () => {
    const line = { mark: 'line' };
    const hover = { mark: { type: 'point', opacity: 0 } };
    expect(withoutHoverTargets({ data, layer: [{ layer: [line, hover] }, hover, line] })).toEqual({
      data,
      layer: [{ layer: [line] }, line],
    });
  });
});
