/** Values that the axes of a chart cannot show: they are counted, told in the chart, and left out of it. */
import type { Mark, Spec } from 'vega';
import { isObject, type VegaLiteSpec } from './spec.js';

/** Why an axis cannot show a value, in the order in which they are told. */
const REASONS = {
  number: 'not a number',
  logarithm: 'log of values <= 0',
  outside: 'outside the axis',
} as const;
type Reason = keyof typeof REASONS;

/** An item of Vega's scene graph, as far as it is looked at. */
interface Item {
  readonly datum?: object;
  readonly items?: readonly SceneMark[];
  readonly context?: { readonly scales: Readonly<Record<string, { readonly value: ScaleFunction }>> };
}
interface SceneMark {
  readonly marktype: string;
  readonly role?: string;
  readonly name?: string;
  readonly group?: Item;
  items: readonly Item[];
}
interface ScaleFunction {
  readonly type: string;
  domain(): readonly unknown[];
}

/** A channel of a mark that shows a field on an axis. */
interface Place {
  readonly scale: string;
  readonly field: string;
}

/** Counts the points of one chart; a datum that several marks show, as a line and its dots do, is one point. */
export class PointCount {
  private readonly points = new Set<object>();
  private readonly lost = new Map<object, Reason>();

  /** Notes a datum that is dropped before it is drawn, for what is in one of its fields. */
  drop(datum: Readonly<Record<string, unknown>>, fields: readonly string[]): void {
    if (fields.some((field) => isNoNumber(datum[field]))) this.note(datum, 'number');
  }

  /** Looks at all that is drawn of a compiled spec, and takes out dots that are not to be seen. */
  look(root: SceneMark, { marks = [] }: Spec, fieldOf: (field: string) => (datum: object) => unknown): void {
    const places = new Map<string, readonly Place[]>();
    collectPlaces(marks, places);
    const visit = (mark: SceneMark): void => {
      for (const item of mark.marktype === 'group' ? mark.items : []) item.items?.forEach(visit);
      const shown = mark.role === 'mark' ? places.get(mark.name ?? '') : undefined;
      const scales = mark.group?.context?.scales;
      if (shown === undefined || scales === undefined) return;
      const looks = shown.flatMap(({ scale, field }) => {
        const look = lookAt(scales[scale]?.value);
        return look ? [{ look, read: fieldOf(field) }] : [];
      });
      const lost = new Set<Item>();
      for (const item of looks.length > 0 ? mark.items : []) {
        const { datum } = item;
        // A cell that is empty is missing, and nobody expects to see it.
        if (datum === undefined || looks.some(({ read }) => isMissing(read(datum)))) continue;
        this.points.add(datum);
        for (const { look, read } of looks) {
          const reason = look(read(datum));
          if (reason === undefined) continue;
          this.note(datum, reason);
          lost.add(item);
        }
      }
      // A line goes on to the frame, a bar too; the rasteriser fails at what is transparent and far outside.
      const isDot = mark.marktype === 'symbol' || mark.marktype === 'text';
      if (isDot || lost.size === mark.items.length) mark.items = mark.items.filter((item) => !lost.has(item));
    };
    visit(root);
  }

  private note(datum: object, reason: Reason): void {
    this.points.add(datum);
    if (!this.lost.has(datum)) this.lost.set(datum, reason);
  }

  has(reason: Reason): boolean {
    return [...this.lost.values()].includes(reason);
  }

  /** `3 of 40 points are not shown: log of values <= 0 (2), outside the axis (1)`; undefined when all are shown. */
  sentence(): string | undefined {
    if (this.lost.size === 0) return undefined;
    const counts = new Map<Reason, number>();
    for (const reason of this.lost.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    const parts = (Object.keys(REASONS) as Reason[]).flatMap((reason) =>
      counts.has(reason) ? [`${REASONS[reason]} (${counts.get(reason)})`] : [],
    );
    const verb = this.points.size === 1 ? 'point is' : 'points are';
    return `${this.lost.size} of ${this.points.size} ${verb} not shown: ${parts.join(', ')}`;
  }
}

const isMissing = (value: unknown): boolean => value === null || value === undefined || value === '';
const isNoNumber = (value: unknown): boolean => !isMissing(value) && !Number.isFinite(Number(value));

/** Why a scale cannot show a value. */
function lookAt(scale: ScaleFunction | undefined): ((value: unknown) => Reason | undefined) | undefined {
  if (scale === undefined) return undefined;
  const domain = scale.domain();
  if (/^(ordinal|band|point)$/.test(scale.type)) {
    const values = new Set(domain.map(String));
    return (value) => (values.has(String(value)) ? undefined : 'outside');
  }
  const ends = domain.map(Number);
  const least = ends.reduce((a, b) => Math.min(a, b), Infinity);
  const most = ends.reduce((a, b) => Math.max(a, b), -Infinity);
  // Products of rounding are not outside.
  const rounding = 1e-9 * (most - least);
  const isLogarithm = scale.type === 'log';
  return (value) => {
    const number = Number(value);
    if (!Number.isFinite(number)) return 'number';
    if (isLogarithm && number <= 0) return 'logarithm';
    // Of a domain with no logarithm nothing can be said, it is another once those values are left out.
    if (isLogarithm && !(least > 0)) return undefined;
    return number < least - rounding || number > most + rounding ? 'outside' : undefined;
  };
}

const CHANNELS = ['x', 'x2', 'xc', 'y', 'y2', 'yc'] as const;

/** The channels of each mark that show a field on an axis, by the name of the mark. */
function collectPlaces(marks: readonly Mark[], found: Map<string, readonly Place[]>): void {
  for (const mark of marks) {
    if (mark.type === 'group') collectPlaces(mark.marks ?? [], found);
    if (mark.type === 'group' || mark.name === undefined) continue;
    // What was computed, and the names of curves, are no points.
    if (mark.type === 'text' || [mark.style ?? []].flat().includes('theory')) continue;
    const encoding: Readonly<Record<string, unknown>> = { ...mark.encode?.enter, ...mark.encode?.update };
    const rules = CHANNELS.flatMap((channel) => encoding[channel] ?? []);
    const places = rules.flatMap((rule) =>
      isObject(rule) && typeof rule.scale === 'string' && typeof rule.field === 'string'
        ? [{ scale: rule.scale, field: rule.field }]
        : [],
    );
    if (places.length > 0) found.set(mark.name, places);
  }
}

/** The filter that Vega-Lite makes for points of fields that are no numbers. */
const VALID = /isValid\(datum\["((?:[^"\\]|\\.)*)"\]\) && isFinite\(\+datum\["\1"\]\)/g;

/** Lets those filters of a compiled spec call a function with what they drop, in place. */
export function tellDrops(node: unknown, call: (fields: string) => string): void {
  if (Array.isArray(node)) for (const child of node) tellDrops(child, call);
  if (!isObject(node)) return;
  for (const transform of Array.isArray(node.transform)
    ? (node.transform as { type?: unknown; expr?: unknown }[])
    : []) {
    if (transform.type !== 'filter' || typeof transform.expr !== 'string') continue;
    const fields = Array.from(transform.expr.matchAll(VALID), ([, field]) => `"${field}"`);
    if (fields.length > 0) transform.expr = `(${transform.expr}) || ${call(`[${fields.join()}]`)}`;
  }
  for (const key of ['data', 'marks'] as const) tellDrops(node[key], call);
}

type Json = Readonly<Record<string, unknown>>;

/**
 * The spec with the sentence below or in its title, and without the values of which the sentence tells: on a
 * logarithmic axis those <= 0 become missing, which breaks a line, categories that the domain of an axis has not are
 * filtered, and marks end at the frame.
 */
export function withoutLost(spec: VegaLiteSpec, count: PointCount, sentence: string): VegaLiteSpec {
  return withCaption(prune(spec, {}, undefined, count) as VegaLiteSpec, sentence);
}

/** Scales of a view by channel, as far as a spec writes them. */
type Scales = Readonly<Record<string, readonly Json[]>>;

function prune(view: unknown, inherited: Json, shared: Scales | undefined, count: PointCount): unknown {
  if (!isObject(view)) return view;
  const encoding: Json = { ...inherited, ...(isObject(view.encoding) ? view.encoding : {}) };
  for (const key of ['concat', 'hconcat', 'vconcat'] as const) {
    const views = view[key];
    if (Array.isArray(views))
      return { ...view, [key]: views.map((each) => prune(each, encoding, undefined, count)) };
  }
  if ('spec' in view) return { ...view, spec: prune(view.spec, encoding, undefined, count) };
  const own = scalesOf(view, inherited);
  const isIndependent = (channel: string) =>
    isObject(view.resolve) && isObject(view.resolve.scale) && view.resolve.scale[channel] === 'independent';
  const scales = shared ?? own;
  if (Array.isArray(view.layer)) {
    const common = Object.fromEntries(Object.entries(scales).filter(([channel]) => !isIndependent(channel)));
    return {
      ...view,
      layer: view.layer.map((each) =>
        prune(each, encoding, { ...scalesOf(each, encoding), ...common }, count),
      ),
    };
  }
  return 'mark' in view ? pruneUnit(view, encoding, scales, count) : view;
}

/** All scales that a view and its layers write for an axis: they share them. */
function scalesOf(view: unknown, inherited: Json): Scales {
  const found: Record<string, Json[]> = { x: [], y: [] };
  const visit = (each: unknown, encoding: Json): void => {
    if (!isObject(each)) return;
    const merged: Json = { ...encoding, ...(isObject(each.encoding) ? each.encoding : {}) };
    for (const channel of ['x', 'y']) {
      const definition = merged[channel];
      if (isObject(definition) && isObject(definition.scale)) found[channel]!.push(definition.scale);
    }
    if (Array.isArray(each.layer)) for (const child of each.layer) visit(child, merged);
  };
  visit(view, inherited);
  return found;
}

function pruneUnit(view: Json, encoding: Json, scales: Scales, count: PointCount): Json {
  const transforms: Json[] = [];
  let isOnAxes = false;
  for (const channel of ['x', 'y'] as const) {
    const definition = encoding[channel];
    if (!isObject(definition) || typeof definition.field !== 'string' || definition.scale === null) continue;
    isOnAxes = true;
    const { field } = definition;
    // What is computed in the encoding cannot be reached from here, nor can a path into an object.
    if (
      'aggregate' in definition ||
      'bin' in definition ||
      'timeUnit' in definition ||
      /[.[\]\\]/.test(field)
    )
      continue;
    const datum = `datum[${JSON.stringify(field)}]`;
    const written = scales[channel] ?? [];
    if (count.has('logarithm') && written.some(({ type }) => type === 'log')) {
      transforms.push({ calculate: `${datum} > 0 ? ${datum} : null`, as: field });
    }
    const isCategory = definition.type === 'nominal' || definition.type === 'ordinal';
    const domain = written.map((scale) => scale.domain).find((each) => Array.isArray(each));
    if (count.has('outside') && isCategory && domain) transforms.push({ filter: { field, oneOf: domain } });
  }
  const mark = isObject(view.mark) ? view.mark : { type: view.mark };
  const isCut = isOnAxes && count.has('outside') && mark.type !== 'text';
  return {
    ...view,
    ...(transforms.length > 0 && {
      transform: [...(Array.isArray(view.transform) ? view.transform : []), ...transforms],
    }),
    ...(isCut && { mark: { clip: true, ...mark } }),
  };
}

/** The spec with a line of text: under its title, or below the chart where it has none. */
function withCaption(spec: VegaLiteSpec, text: string): VegaLiteSpec {
  const { title } = spec;
  const isTitled = typeof title === 'string' || Array.isArray(title) || (isObject(title) && title.text);
  if (!isTitled) {
    return {
      ...spec,
      title: { text, orient: 'bottom', anchor: 'end', fontSize: 11, color: '#444444', offset: 6 },
    };
  }
  const whole = isObject(title) ? title : { text: title };
  return { ...spec, title: { ...whole, subtitle: [whole.subtitle ?? [], text].flat() } };
}
