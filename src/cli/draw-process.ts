/** The process that draws charts, see `drawChart`. */
import { setFlagsFromString } from 'node:v8';
import { prepareToRender, renderChart } from '../charts/render.js';
import type { Answer, Question } from './drawing.js';

// The rasteriser's thousand functions take longer to optimise than a dozen charts to draw with them as they are.
setFlagsFromString('--liftoff-only');

// What is missing is told with the first chart.
prepareToRender().catch(() => {});

process.on('message', ({ spec, table, title }: Question) => {
  renderChart(spec, table, { title, onWarning: (warning) => answer({ warning }) }).then(
    (chart) => answer({ chart }),
    (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
  );
});

// What a spec has set in motion, such as a timer, does not keep it.
process.on('disconnect', () => process.exit());

function answer(message: Answer): void {
  if (process.connected) process.send!(message);
}
