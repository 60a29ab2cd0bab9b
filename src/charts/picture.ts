/** Spec -> Vega -> SVG. */
import type { Mark } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import { checkPicture } from './addresses.js';
import { type ChartFont, loadFont, textWidth } from './font.js';
import { PointCount, tellDrops } from './left-out.js';
import { loadLibraries } from './libraries.js';
import { escapeHtml } from './page.js';
import { brief, type VegaLiteSpec, withoutHoverTargets } from './spec.js';

/** A chart that is laid out: what is on it is known, its picture is drawn when it is asked for. */
export interface Layout {
  readonly count: PointCount;
  /** What Vega-Lite and Vega remark. */
  readonly warnings: readonly string[];
  /** The same bytes for the same spec and table. */
  svg(): Promise<string>;
}

/** Pictures take turns: the numbering of clip paths is one counter for the whole process. */
let previousPicture: Promise<unknown> = Promise.resolve();

/** Counts of the charts that are being laid out, for the expressions in them. */
const counts = new Map<number, PointCount>();

/**
 * Lays out a complete spec over the text of its table.
 *
 * @throws Error with one message, here and when the picture is drawn.
 */
export async function layOut(spec: VegaLiteSpec, csv: string): Promise<Layout> {
  const { vega, vegaLite } = await loadLibraries();
  const font = await loadFont();
  const errors: string[] = [];
  const warnings: string[] = [];
  const logger = collectingLogger(
    (message) => warnings.push(message),
    (message) => errors.push(message),
  );
  const refuse = (what: string, cause?: unknown) =>
    new Error(`chart: not a Vega-Lite spec that can be drawn: ${what}`, { cause });

  // Without a canvas Vega guesses widths, too wide, and then drops tick labels that seem to overlap.
  const { textMetrics } = vega as unknown as { textMetrics: { width: TextWidth } };
  textMetrics.width = (item, text) => {
    const width = textWidth(font, text == null ? '' : String(text).trim(), item.fontSize ?? 11);
    return item.limit !== undefined && item.limit > 0 ? Math.min(width, item.limit) : width;
  };

  const count = new PointCount();
  const id = Math.max(0, ...counts.keys()) + 1;
  counts.set(id, count);
  vega.expressionFunction('dropsPoint', (drawing: number, datum: never, fields: readonly string[]) => {
    counts.get(drawing)?.drop(datum, fields);
    return false;
  });

  try {
    const compiled = vegaLite.compile(withoutHoverTargets(spec) as unknown as TopLevelSpec, { logger }).spec;
    for (const source of compiled.data ?? []) {
      if ('url' in source) Object.assign(source, { url: undefined, values: csv });
    }
    clipTogether(compiled.marks ?? []);
    tellDrops(compiled, (fields) => `dropsPoint(${id}, datum, ${fields})`);
    const stop = (url: string) =>
      Promise.reject(new Error(`fetches ${url}; a chart has no data but its table`));
    const loader = Object.assign(vega.loader(), { load: stop, sanitize: stop });
    const view = new vega.View(vega.parse(compiled), { renderer: 'none', loader, logger });
    await view.runAsync();
    count.look((view.scenegraph() as unknown as { root: never }).root, compiled, vega.field as never);
    const draw = async () => {
      vega.resetSVGDefIds();
      const svg = tidySvg(await view.toSVG(), spec.description);
      view.finalize();
      if (errors.length > 0) throw refuse(errors.join('; '));
      checkNumbers(svg);
      checkPicture(svg);
      checkGlyphs(svg, font);
      return svg;
    };
    if (errors.length > 0) throw new Error(errors.join('; '));
    return {
      count,
      warnings,
      svg: () => {
        const turn = previousPicture.then(draw);
        previousPicture = turn.catch(() => undefined);
        return turn;
      },
    };
  } catch (error) {
    throw refuse(oneLine(error), error);
  } finally {
    counts.delete(id);
  }
}

/**
 * Clips all lines of a series at once instead of each by itself, in place; the picture is the same.
 *
 * Every clip costs the rasteriser a layer as large as the picture, 15 ms: five hundred lines took 8 s.
 */
function clipTogether(marks: readonly Mark[]): void {
  for (const mark of marks) {
    if (mark.type !== 'group' || mark.marks === undefined) continue;
    if (mark.from && 'facet' in mark.from && mark.marks.every((line) => line.clip === true)) {
      mark.clip = true;
      for (const line of mark.marks) line.clip = false;
    }
    clipTogether(mark.marks);
  }
}

type TextWidth = (item: { readonly fontSize?: number; readonly limit?: number }, text: unknown) => number;

/** A Vega logger that passes warnings on and keeps errors, which Vega prints instead of throwing. */
function collectingLogger(onWarning: (message: string) => void, onError: (message: string) => void) {
  const logger = {
    level: () => logger,
    error: (...parts: readonly unknown[]) => {
      onError(parts.map(oneLine).join(' '));
      return logger;
    },
    warn: (...parts: readonly unknown[]) => {
      // Vega only warns where data cannot be read, and goes on without them.
      const tell =
        parts[0] === 'Loading failed' || parts[0] === 'Data ingestion failed' ? onError : onWarning;
      tell(parts.map(oneLine).join(' '));
      return logger;
    },
    info: () => logger,
    debug: () => logger,
  };
  // The typings want `level` both as a getter and as a setter, which no one function type satisfies.
  return logger as never;
}

/**
 * The SVG with its description, and its lengths rounded to a thousandth of a unit, a fiftieth of what an eye can tell.
 *
 * Rounding makes the file a third of its size, and
 * the same on machines whose logarithms differ in the last digit.
 */
function tidySvg(svg: string, description: unknown): string {
  const label = typeof description === 'string' ? ` role="img" aria-label="${escapeHtml(description)}"` : '';
  // What Vega tells of an axis over nothing, to those who listen.
  const told = svg.replace(/ with values from (?:-?Infinity|NaN) to [^"]*"/g, ' without values"');
  return `<svg${label}${told.slice('<svg'.length)}`.replace(
    /\b(d|transform|x|y|x1|x2|y1|y2|width|height)="([^"<>]*)"/g,
    (_, name, value: string) => {
      const rounded = value.replace(/-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g, (n) =>
        String(Math.round(Number(n) * 1e3) / 1e3),
      );
      return `${name}="${rounded}"`;
    },
  );
}

/** Throws if a place or a length is no number: the chart would not be what it says. */
function checkNumbers(svg: string): void {
  const [tag] =
    /<[^>]* (?:d|transform|points|x|y|x1|x2|y1|y2|r|cx|cy|width|height|viewBox)="[^"]*(?:NaN|Infinity|undefined)[^>]*>/.exec(
      svg,
    ) ?? [];
  if (tag === undefined) return;
  throw new Error(
    `chart: a place in the picture is no number: ${brief(tag)}; a scale does not fit what it is to show`,
  );
}

/** Throws if a text has a character that the font lacks: the PNG would show an empty box in its place. */
function checkGlyphs(svg: string, font: ChartFont): void {
  for (const [, content = ''] of svg.matchAll(/<text\b[^>]*>(.*?)<\/text>/gs)) {
    const text = content.replace(/<[^>]*>/g, '');
    for (const character of text) {
      const codePoint = character.codePointAt(0)!;
      if (font.advances.has(codePoint)) continue;
      const code = `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
      throw new Error(
        `chart: the font has no glyph for "${character}" (${code}) in ${brief(text)}; write it otherwise`,
      );
    }
  }
}

const oneLine = (value: unknown): string => {
  const text = value instanceof Error ? value.message : typeof value === 'string' ? value : brief(value);
  return text.replace(/\s+/g, ' ').slice(0, 400);
};
