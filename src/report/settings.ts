/** The settings of an experiment, out of its manifest, for people. */
import { AXIS_NAMES, entryOf } from '../config/axes.js';
import { formulaHtml } from './formula.js';
import { type Content, type Html, html } from './page/html.js';

const NAMES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    AXIS_NAMES.flatMap((axis) => {
      const { path, title } = entryOf(axis);
      return [path.join('.'), `sweep.${axis}`, `axes.${axis}`].map((place) => [place, title]);
    }),
  ),
  'data.input': 'input',
  'data.target': 'target',
  'step.kind': 'step',
  'record.layers': 'recorded layers',
  'record.quantities': 'recorded quantities',
};

/** What is told elsewhere, or follows from the rest. */
const LEFT_OUT = new Set(['$schema', 'name', 'title', 'figure', 'nesting', 'seed']);

/** Keys whose members are told one by one. */
const GROUPS = new Set(['network', 'axes', 'sweep', 'step', 'record', 'data']);

/** One entry for each setting; a key that this version does not know is shown under its own name. */
export function settingsHtml(experiment: unknown): Html {
  const entries = Object.entries(experiment as Readonly<Record<string, unknown>>)
    .filter(([key]) => !LEFT_OUT.has(key))
    .flatMap(([key, value]): (readonly [string, unknown])[] =>
      GROUPS.has(key) && isRecord(value)
        ? Object.entries(value).map(([child, of]) => [`${key}.${child}`, of] as const)
        : [[key, value]],
    );
  return html`<dl class="settings">${entries.map(
    ([key, value]) =>
      html`<div><dt>${NAMES[key] ?? words(key.split('.').at(-1)!)}</dt><dd>${valueHtml(value)}</dd></div>`,
  )}</dl>`;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const words = (key: string): string => key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function valueHtml(value: unknown): Content {
  if (Array.isArray(value)) {
    const numbers = value.filter((each) => typeof each === 'number');
    if (numbers.length === value.length && value.length > 6) {
      const [first, second, last] = [numbers[0]!, numbers[1]!, numbers.at(-1)!].map((each) =>
        Number(each.toPrecision(4)),
      );
      return `${first}, ${second}, …, ${last} (${value.length} values)`;
    }
    if (value.some(isRecord)) return value.map((each) => html`<div>${valueHtml(each)}</div>`);
    return value.map((each, i) => [i === 0 ? '' : ', ', valueHtml(each)]);
  }
  if (isRecord(value)) {
    return Object.entries(value).map(([key, each], i) => {
      const text = [i === 0 ? '' : '; ', key === 'name' || key === 'law' ? '' : `${words(key)} `];
      return [...text, valueHtml(each)];
    });
  }
  return typeof value === 'string' ? formulaOrText(value) : String(value);
}

/** A text that only a formula can be, `1/sqrt(L)`, is set; words stay words. */
function formulaOrText(text: string): Content {
  if (!/[(/*]/.test(text)) return text;
  try {
    return formulaHtml(text, 'inline');
  } catch {
    return text;
  }
}
