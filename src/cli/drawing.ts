/** Draws in a process of its own, with bounds on time and memory: a spec is a program, and not always a friendly one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RenderedChart, RenderOptions, VegaLiteSpec } from '../charts/render.js';

/** What the process is asked, and what it answers; warnings come before. */
export interface Question {
  readonly spec: VegaLiteSpec;
  readonly table: string;
  readonly title: string | undefined;
}
export type Answer =
  | { readonly chart: RenderedChart }
  | { readonly warning: string }
  | { readonly error: string };

interface Limits {
  /** Of a processor, since a busy machine takes longer by the clock; by the clock, `BUSY` times as many. */
  readonly seconds: number;
  /** Memory of the language; pictures are bounded by their size. */
  readonly megabytes: number;
}

/** A chart of 100,000 rows takes 4 s and 0.4 GB. */
const LIMITS: Limits = { seconds: 120, megabytes: 2000 };

const BUSY = 8;

interface Painter {
  readonly child: ChildProcess;
  readonly limits: Limits;
  /** Time that it has drawn for; ms. */
  busy: number;
}

/** One that has drawn before and has its libraries loaded; it does not keep the program from ending. */
let idle: Painter | undefined;
let previous: Promise<unknown> = Promise.resolve();

/** Starts the process, which loads its libraries meanwhile: they take as long as a chart. */
export function prepareToDraw(): void {
  if (idle === undefined) rest({ child: start(LIMITS), limits: LIMITS, busy: 0 });
}

/**
 * As `renderChart`, one after the other.
 *
 * @param stop ends the drawing.
 * @throws Error with one message, also when the drawing takes too long or too much memory, or is stopped.
 */
export function drawChart(
  spec: VegaLiteSpec,
  table: string,
  { title, onWarning = () => {} }: RenderOptions = {},
  stop?: AbortSignal,
  limits = LIMITS,
): Promise<RenderedChart> {
  const drawn = previous.then(() => draw({ spec, table, title }, onWarning, stop, limits));
  previous = drawn.catch(() => undefined);
  return drawn;
}

async function draw(
  question: Question,
  onWarning: (message: string) => void,
  stop: AbortSignal | undefined,
  limits: Limits,
): Promise<RenderedChart> {
  const painter = idle?.limits === limits ? idle : { child: start(limits), limits, busy: 0 };
  idle = undefined;
  const { child } = painter;
  child.removeAllListeners();
  child.ref();
  child.channel?.ref();
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const started = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let isFit = false;
  let onStop: (() => void) | undefined;
  try {
    const chart = await new Promise<RenderedChart>((resolve, reject) => {
      const refuse = (what: string) =>
        reject(new Error(`chart: drawing ${what}; use a simpler spec or fewer rows`));
      onStop = () => refuse('was stopped');
      stop?.addEventListener('abort', onStop);
      if (stop?.aborted) onStop();
      const tooLong = () => refuse(`takes more than ${limits.seconds} s`);
      timer = setTimeout(tooLong, BUSY * limits.seconds * 1000);
      child.on('message', (answer: Answer) => {
        if ('warning' in answer) onWarning(answer.warning);
        else if ('chart' in answer) resolve(answer.chart);
        else reject(new Error(answer.error));
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (signal === 'SIGXCPU') tooLong();
        // Out of memory, the language aborts, or the system kills.
        else if (signal === 'SIGABRT' || signal === 'SIGKILL' || code === 134)
          refuse(`takes more memory than there is, or than ${limits.megabytes / 1000} GB`);
        else refuse(`has ended its process with ${signal ?? `exit code ${code}`}`);
      });
      child.send(question, (error) => error && reject(error));
    });
    painter.busy += performance.now() - started;
    // A rasteriser that has failed draws no more.
    isFit = painter.busy < 500 * limits.seconds && chart.pngProblem === undefined;
    return chart;
  } finally {
    clearTimeout(timer);
    if (onStop) stop?.removeEventListener('abort', onStop);
    process.off('exit', end);
    child.removeAllListeners();
    if (isFit) rest(painter);
    else {
      child.on('error', () => {});
      // It may still be at work.
      end();
    }
  }
}

/** Lets a process wait for what is to be drawn next; it does not keep this one from ending. */
function rest(painter: Painter): void {
  const { child } = painter;
  idle = painter;
  child
    .on('error', () => {})
    .on('exit', () => {
      if (idle === painter) idle = undefined;
    });
  child.unref();
  child.channel?.unref();
}

/**
 * A process that ends with this one; busy as it may be, the system ends it when it has computed for too long: one that
 * has drawn before has half of its time behind it at the most.
 */
function start({ seconds, megabytes }: Limits): ChildProcess {
  const words = [
    process.execPath,
    `--max-old-space-size=${megabytes}`,
    // Node 24 gives young objects 130 MB where 20 gives them 34; drawing needs no more, and takes as long.
    '--max-semi-space-size=16',
    // A chart is drawn once: what is optimised for the next ten times costs a third of all, and is worth it in tables of 100,000 rows.
    '--interrupt-budget=1000000',
    fileURLToPath(new URL('../program/draw-process.js', import.meta.url)),
  ];
  const bounded = ['-c', `ulimit -c 0; ulimit -S -t ${Math.ceil(1.5 * seconds)}; exec "$0" "$@"`, ...words];
  const [file, given] = process.platform === 'win32' ? [words[0]!, words.slice(1)] : ['sh', bounded];
  return spawn(file, given, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
}
