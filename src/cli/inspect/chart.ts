/** The chart of an inspection: features, backward pass and angle along the layers. */
import type { VegaLiteSpec } from '../../charts/render.js';
import { QUANTITIES } from '../../quantities.js';

/** A spec over the CSV of an inspection. */
export function inspectionChart(name: string): VegaLiteSpec {
  const panel = (field: 'feature_rms' | 'backward_rms' | 'bfa_rad', isLast: boolean) => {
    const isSize = field !== 'bfa_rad';
    return {
      width: 465,
      height: 130,
      transform: [{ filter: isSize ? `datum.${field} > 0` : `isValid(datum.${field})` }],
      layer: [
        { mark: { type: 'line', strokeWidth: 1, opacity: 0.5 } },
        {
          mark: { type: 'point', size: 20, filled: true, opacity: 1, stroke: '#1f77b4', strokeWidth: 1 },
          encoding: {
            fill: {
              condition: { test: 'datum.is_cut == 1', value: '#1f77b4' },
              value: 'white',
            },
            tooltip: [
              { field: 'layer_name', type: 'nominal', title: 'layer' },
              { field, type: 'quantitative' },
            ],
          },
        },
      ],
      encoding: {
        x: {
          field: 'layer',
          type: 'quantitative',
          title: isLast ? 'layer, in the order of the forward pass (filled: Thm 2.1 holds)' : null,
          axis: { tickMinStep: 1 },
          scale: { zero: false, nice: false },
        },
        y: {
          field,
          type: 'quantitative',
          title: isSize ? QUANTITIES[field].title : `${QUANTITIES[field].title} (rad)`,
          scale: isSize ? { type: 'log' } : { domainMin: 0 },
        },
      },
    };
  };
  return {
    description: `Features, backward pass and backward-feature angle of ${name} by layer`,
    data: { name: 'table' },
    vconcat: [panel('feature_rms', false), panel('backward_rms', false), panel('bfa_rad', true)],
  };
}
