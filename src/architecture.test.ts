import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const SRC = dirname(fileURLToPath(import.meta.url));

/** What a folder, or a file that stands alone, may import besides itself and packages; `types` only for its types. */
const MAY_IMPORT: Readonly<
  Record<string, { readonly all: readonly string[]; readonly types?: readonly string[] }>
> = {
  quantities: { all: [] },
  activations: { all: [] },
  architectures: { all: [] },
  backends: { all: [] },
  nearest: { all: [] },
  config: { all: ['activations', 'architectures', 'quantities', 'nearest', 'theory'] },
  plan: { all: ['activations', 'architectures', 'backends', 'config', 'quantities'] },
  core: { all: ['activations', 'architectures', 'backends', 'quantities'] },
  theory: { all: [] },
  model: { all: ['core', 'quantities'] },
  run: {
    all: [
      'backends',
      'plan',
      'core',
      'model',
      'results',
      'store',
      'theory',
      'config',
      'quantities',
      'nearest',
    ],
  },
  results: { all: ['config', 'quantities'], types: ['plan'] },
  compare: { all: ['results', 'config', 'quantities'] },
  store: { all: ['compare', 'results', 'quantities', 'nearest'] },
  charts: { all: ['results', 'quantities', 'nearest'] },
  claims: { all: ['activations', 'architectures', 'core', 'theory', 'config', 'results', 'quantities'] },
  report: { all: ['architectures', 'charts', 'results', 'config'], types: ['claims'] },
  index: {
    all: ['backends', 'quantities', 'config', 'plan', 'core', 'theory', 'model', 'run', 'results', 'store'],
  },
  cli: {
    all: [
      'activations',
      'architectures',
      'backends',
      'quantities',
      'nearest',
      'config',
      'plan',
      'core',
      'theory',
      'model',
      'run',
      'results',
      'compare',
      'store',
      'charts',
      'claims',
      'report',
    ],
  },
};

/** Folders that are given what they need, and neither read files nor start processes. */
const WITHOUT_EFFECTS = [
  'core',
  'model',
  'config',
  'plan',
  'theory',
  'charts',
  'claims',
  'compare',
  'report',
];
const EFFECTS = /^(node:)?(fs|fs\/promises|child_process)$/;

interface Import {
  readonly from: string;
  /** What is imported, as written; empty for a dynamic import. */
  readonly names: string;
  readonly isType: boolean;
}

/** Source without comments; strings stay. */
function withoutComments(source: string): string {
  return source.replace(
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/.*/g,
    (_, text?: string) => text ?? '',
  );
}

/** Every import of a source: static, of types, for effect, re-exports, dynamic, `typeof import`, `require`. */
function importsOf(source: string): Import[] {
  const code = withoutComments(source);
  const lines = code.matchAll(
    /(?:^|;)\s*(?:import|export)\s+(type\s)?([\w$\s{},*]*?)(?:\bfrom\s*)?['"]([^'"]+)['"]/gm,
  );
  const calls = code.matchAll(/(typeof\s+)?\b(?:import|require)\(\s*['"`]([^'"`]+)['"`]/g);
  return [
    ...Array.from(lines, ([, type, names, from]) => ({ from: from!, names: names!.trim(), isType: !!type })),
    ...Array.from(calls, ([, type, from]) => ({ from: from!, names: '', isType: !!type })),
  ];
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map((path) => {
    const source = readFileSync(join(SRC, path), 'utf8');
    return { path, station: stationOf(path), source, imports: importsOf(source) };
  });

/** Folder of a file of src; a file that stands alone is its own. */
function stationOf(path: string): string {
  return path.split('/')[0]!.replace(/\.[jt]s$/, '');
}

/** Edges between folders that the table does not have. */
function forbiddenEdges(path: string, imports: readonly Import[]): string[] {
  const from = stationOf(path);
  const rule = MAY_IMPORT[from];
  return imports
    .filter((each) => each.from.startsWith('.'))
    .map((each) => ({ ...each, to: stationOf(posix.join(posix.dirname(path), each.from)) }))
    .filter(
      ({ to, isType }) => to !== from && !rule?.all.includes(to) && !(isType && rule?.types?.includes(to)),
    )
    .map((each) => `${path} imports ${each.from}`);
}

describe('the reader of import lines', () => {
  test('finds every form, and none in a comment', () => {
    const source = `
      // import { a } from './comment.js';
      /* import './comment.js'; */
      import one from './one.js';
      import { two, type Two } from "./two.js";
      import type { Three } from './three.js';
      import {
        four,
        type Four,
      } from './four.js';
      import './five.js'; import './same-line.js';
      export { six } from './six.js';
      export * from './seven.js';
      export type { Eight } from './eight.js';
      const nine = await import('./nine.js');
      let ten: typeof import('./ten.js');
      export const none = new URL('../..', import.meta.url);
      const eleven = require('./eleven.js');
    `;
    expect(importsOf(source).map(({ from, isType }) => [from, isType])).toEqual([
      ['./one.js', false],
      ['./two.js', false],
      ['./three.js', true],
      ['./four.js', false],
      ['./five.js', false],
      ['./same-line.js', false],
      ['./six.js', false],
      ['./seven.js', false],
      ['./eight.js', true],
      ['./nine.js', false],
      ['./ten.js', true],
      ['./eleven.js', false],
    ]);
  });

  test('refuses edges that run upward, types too, and folders that the table does not know', () => {
    const one = (from: string, isType = false) => [{ from, names: '', isType }];
    expect(forbiddenEdges('core/step.ts', one('../run/run.js', true))).toHaveLength(1);
    expect(forbiddenEdges('quantities.ts', one('./config/load.js'))).toHaveLength(1);
    expect(forbiddenEdges('results/diff.ts', one('../plan/cell.js'))).toHaveLength(1);
    expect(forbiddenEdges('results/diff.ts', one('../plan/cell.js', true))).toHaveLength(0);
    expect(forbiddenEdges('helpers/a.ts', one('../core/step.js'))).toHaveLength(1);
    expect(forbiddenEdges('core/step.ts', one('../helpers/a.js'))).toHaveLength(1);
    expect(forbiddenEdges('cli/commands/run.ts', one('../../store/files.js'))).toHaveLength(0);
  });
});

test('every folder of src is a station of the table', () => {
  expect(new Set(files.map(({ station }) => station))).toEqual(new Set(Object.keys(MAY_IMPORT)));
});

/** Files that import each other around a circle, types included, as paths of the drawn structure; each circle once. */
function circles(): string[] {
  const edges = new Map(
    files.map(({ path, imports }) => [
      path,
      imports
        .filter(({ from }) => from.startsWith('.'))
        .map(({ from }) => posix.join(posix.dirname(path), from).replace(/\.js$/, '.ts')),
    ]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, above: readonly string[]): void => {
    const at = above.indexOf(path);
    if (at !== -1) found.push([...above.slice(at), path].join(' -> '));
    if (at !== -1 || done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...above, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
}

test('no file imports itself by way of others', () => {
  expect(circles()).toEqual([]);
});

test('no file has more than 300 lines, and no folder, its subfolders apart, more than 2,000', () => {
  const long = files.map(({ path, source }) => ({ path, lines: source.split('\n').length - 1 }));
  expect(long.filter(({ lines }) => lines > 300)).toEqual([]);
  const folders = [...new Set(long.map(({ path }) => posix.dirname(path)))];
  const sums = folders.map((folder) => ({
    path: folder,
    lines: long.reduce((sum, { path, lines }) => sum + (posix.dirname(path) === folder ? lines : 0), 0),
  }));
  expect(sums.filter(({ lines }) => lines > 2000)).toEqual([]);
});

test('imports run one way only', () => {
  expect(files.flatMap(({ path, imports }) => forbiddenEdges(path, imports))).toEqual([]);
});

test('the table itself has no cycle', () => {
  const reaches = (from: string, to: string): boolean =>
    MAY_IMPORT[from]!.all.some((next) => next === to || reaches(next, to));
  expect(Object.keys(MAY_IMPORT).filter((station) => reaches(station, station))).toEqual([]);
});

test('what computes neither touches files nor starts processes; charts read their assets, and lend fonts as files', () => {
  const effects = files
    .filter(({ station }) => WITHOUT_EFFECTS.includes(station))
    .flatMap(({ station, imports }) =>
      imports
        .filter(({ from }) => EFFECTS.test(from))
        .map(({ from, names }) => `${station}: ${names} of ${from}`),
    );
  expect([...new Set(effects)].sort()).toEqual([
    'charts: { mkdtempSync, rmSync, writeFileSync } of node:fs',
    'charts: { readFile } of node:fs/promises',
  ]);
});

test('what decides a number raises to no power but 2: engines differ in the last digit of the others', () => {
  const powers = files
    .filter(({ station }) =>
      [
        'quantities',
        'activations',
        'architectures',
        'config',
        'plan',
        'core',
        'theory',
        'model',
        'run',
      ].includes(station),
    )
    .filter(({ path }) => !path.startsWith('core/oracle/')) // of tests only
    .flatMap(({ path, source }) =>
      Array.from(
        withoutComments(source).matchAll(/Math\.pow\b|[\w)\]!] \*\* (?!2\b(?!\.)).*/g),
        ([found]) => `${path}: ${found}`,
      ),
    );
  expect(powers).toEqual([]);
});

/** Spread arguments whose number no input decides, by file and call. */
const FEW_ARGUMENTS: Readonly<Record<string, string>> = {
  'charts/picture.ts: Math.max(0, ...counts.keys())': 'the drawings under way',
  'charts/font.ts: String.fromCharCode(...woff.subarray(at, at + 4))': 'four bytes',
  'cli/commands/doctor.ts: Math.max(...Object.keys(facts).map((name) => name.length))': 'the lines of doctor',
  'cli/commands/verify.ts: Math.max(...texts.map(({ length }) => length))': 'the claims',
  'cli/commands/verify.ts: Math.max(...all.map(({ verdict }) => verdict.id.length))': 'the claims',
  'config/expression.ts: called.apply(...args.map((argument) => argument(values)))': 'of 500 characters',
  'report/figure-section.ts: equationHtml(...series.formula)': 'a tuple',
  'report/page/html.ts: String.raw({ raw: parts }, ...values.map(textOf))': 'the gaps of a template',
  'report/page/page-script.ts: tooltip.replaceChildren(...)': 'the lines of a tooltip',
  'report/page/page-script.ts: (Math[name] as (...of: number[]) => number)(...(syntax.arguments as unknown[]).map(at))':
    'of an expression of 500 characters',
  'compare/laws.ts: exact.push(...closedFormTest(quantity, place, sample, floor))': 'one at the most',
  'compare/laws.ts: local.push(...layerTests(quantity, place, sample, floor))': 'two at the most',
  'compare/laws.ts: floor(...means)': 'a pair',
  'compare/laws.ts: welch(...onLogScale(before, after))': 'a pair',
  'run/machine/fit.ts: problems.push(...together(placed, workers, machines[0]!))': 'one at the most',
  "run/models/tensor-methods.ts: operation(this, ...(name === 'flatten' ? [[-1]] : operands))":
    'those of the caller',
  'model/graph.ts: layer.apply(single(inputs), options)': 'a layer, no function',
  'store/results-folder.ts: this.write(...result)': 'a tuple',
};
/** Claims measure experiments of their own, of the size that is written there. */
const OF_FIXED_SIZE = ['claims'];

/** Calls with spread arguments, that overflow the stack beyond some 100,000; and what passes arrays as arguments likewise. */
function spreadCalls(path: string, source: string): string[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const calls: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const isSpread = node.arguments?.some(
        (each) => ts.isSpreadElement(each) && !ts.isArrayLiteralExpression(each.expression),
      );
      const callee = node.expression;
      const isApplied =
        ts.isPropertyAccessExpression(callee) && callee.name.text === 'apply' && node.arguments?.length === 2;
      const text = node.getText().replace(/\s+/g, ' ');
      if (isSpread || isApplied) {
        calls.push(`${path}: ${text.length < 100 ? text : `${callee.getText()}(...)`}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return calls;
}

test('the reader of spread arguments finds them in calls, and not in lists', () => {
  const source = 'Math.max(...a); new Set(...b); f.apply(null, c); g(...[1, 2], d); h([...e]); ({ ...i });';
  expect(spreadCalls('x.ts', source)).toEqual([
    'x.ts: Math.max(...a)',
    'x.ts: new Set(...b)',
    'x.ts: f.apply(null, c)',
  ]);
});

test('no array of any length becomes the arguments of a call', () => {
  const calls = files
    .filter(({ path, station }) => !OF_FIXED_SIZE.includes(station) && !path.endsWith('.as.ts'))
    .filter(({ path }) => !path.startsWith('core/oracle/') && !path.includes('under-test')) // of tests only
    .flatMap(({ path, source }) => spreadCalls(path, source));
  expect(calls.filter((call) => !(call in FEW_ARGUMENTS))).toEqual([]);
});

test('the mathematics has no clock and no console', () => {
  const uses = files
    .filter(({ station }) => ['core', 'theory', 'model'].includes(station))
    .flatMap(({ path, source }) =>
      Array.from(
        withoutComments(source).matchAll(/\b(Date|performance|console)\b/g),
        ([word]) => `${path}: ${word}`,
      ),
    );
  expect(uses).toEqual([]);
});
