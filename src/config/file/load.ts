import { getNodeValue } from 'jsonc-parser';
import type { z } from 'zod';
import { nearest } from '../../nearest.js';
import { findIssues } from '../checks/checks.js';
import type { DataSet, ReadData } from '../data-set.js';
import { type FindModel, modelOf } from '../model.js';
import { findParameterIssues, parameterNames } from '../parameters.js';
import { type Experiment, resolveExperiment } from '../resolve.js';
import { type ExperimentFile, experimentSchema } from './experiment.js';
import { type JsonFile, readJson } from './json.js';
import { knownKeys } from './known-path.js';
import { applyOverrides } from './override.js';
import { formatPath, type Issue, type Path, type Problem, show } from './problem.js';

export type ParsedExperiment =
  | { readonly ok: true; readonly experiment: Experiment }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** More would bury the first. */
const MOST_PROBLEMS = 100;

/** Stands in for a broken part of a file while the other parts are checked. */
const NEUTRAL: Partial<ExperimentFile> = {
  network: { depth: 3, width: 1 },
  scaling: 'NTK',
  record: { quantities: ['loss'] },
};

/**
 * Reads an experiment file: text -> JSON -> overrides -> schema -> defaults -> checks.
 *
 * All problems are found at once, with line and column, in the order of the file; those of overrides stand last.
 *
 * @param text content of the file
 * @param source the file's name as messages show it; its base name without `.json` is the experiment's name
 * @param overrides `path=value` each, as given to `--set`; the value is JSON, or else a string
 * @param findModel looks for the file of a model, and says why it is none; without it the experiment can be read and not run
 * @param readData reads what `data.file` names; without it the experiment has no numbers of it
 */
export function parseExperiment(
  text: string,
  source: string,
  overrides: readonly string[] = [],
  findModel: FindModel = (written) => ({ file: written }),
  readData?: ReadData,
): ParsedExperiment {
  const json = readJson(text, source);
  if (!('root' in json)) return { ok: false, problems: json.problems };

  const settled = applyOverrides(getNodeValue(json.root), overrides);
  const schemaIssues = issuesOfSchema(settled.content);
  const broken = new Set(schemaIssues.filter(({ isExtra }) => !isExtra).map(({ path }) => path[0]));
  const repaired = Object.fromEntries([...broken].map((key) => [key, NEUTRAL[key as keyof ExperimentFile]]));
  const file = withoutExtras({ ...(settled.content as object), ...repaired } as ExperimentFile, schemaIssues);
  const written = broken.has('network') ? undefined : modelOf(file);
  const model = written === undefined ? undefined : findModel(written);
  const learnt = file.data?.text === undefined ? undefined : findModel(file.data.text, 'text');
  const asFile = (found: ReturnType<FindModel> | undefined) =>
    typeof found === 'string' ? { file: found } : found;
  const { set, issue } = dataOf(file, broken.has('data'), readData);
  const experiment = resolveExperiment(file, experimentName(source), asFile(model), asFile(learnt), set);
  // Of widths and samples that hang on the data nothing can be said without them.
  const isInOrder = (key: keyof ExperimentFile) => !broken.has(key) && !(issue && key === 'data');
  const issues = [
    ...schemaIssues,
    ...(issue ? [issue] : []),
    ...(typeof model === 'string' ? [{ path: ['network', 'model'], message: model }] : []),
    ...(typeof learnt === 'string' ? [{ path: ['data', 'text'], message: learnt }] : []),
    ...findIssues(experiment, file, isInOrder),
  ];

  const all = [
    ...json.problems,
    ...issues.slice(0, MOST_PROBLEMS).map((issue) => place(issue, json, settled.paths)),
    ...settled.problems,
  ].sort((a, b) => order(a.line, b.line) || order(a.column, b.column));
  if (all.length === 0) return { ok: true, experiment };
  const problems = all.slice(0, MOST_PROBLEMS);
  const rest = json.problems.length + issues.length + settled.problems.length - problems.length;
  const more = { source, path: '', message: `${rest} more problems` };
  return { ok: false, problems: rest > 0 ? [...problems, more] : problems };
}

/** Stands for data that nobody reads, where experiments are compared and not run. */
const UNREAD: DataSet = {
  rows: Number.MAX_SAFE_INTEGER,
  inputWidth: 1,
  outputWidth: 2,
  inputs: new Float32Array(),
  targets: new Float32Array(),
  hasClasses: true,
  sha256: '',
};

/** The rows that a file of an experiment has, or what is wrong with them. */
function dataOf(
  { data }: ExperimentFile,
  isBroken: boolean,
  readData: ReadData | undefined,
): { readonly set?: DataSet; readonly issue?: Issue } {
  if (isBroken || data?.file === undefined) return {};
  const { file, target } = data;
  if (!readData) return { set: UNREAD };
  if (target === undefined || (typeof target === 'object' && 'law' in target)) return {};
  const read = readData({ file, target });
  return 'set' in read ? read : { issue: { path: ['data', read.key], message: read.message } };
}

/** Name of the experiment of a file: `figure-1a` for `configs/figure-1a.json`. */
export function experimentName(source: string): string {
  return source.replace(/^.*[\\/]/s, '').replace(/\.json$/, '');
}

/** Overrides, which have no line, come after the file. */
function order(a: number | undefined, b: number | undefined): number {
  return a === b ? 0 : (a ?? Infinity) - (b ?? Infinity);
}

/** A problem where the value came from: the override that set it, or else the file. */
function place(
  { path, message, isExtra }: SchemaIssue,
  json: JsonFile,
  overridden: readonly Path[],
): Problem {
  const isOverridden = overridden.some((set) => set.every((key, index) => key === path[index]));
  return isOverridden
    ? { source: '--set', path: formatPath(path), message }
    : json.problemAt(path, message, isExtra ? 'key' : 'value');
}

interface SchemaIssue extends Issue {
  /** Whether it is a key that should not be there, and that nothing else depends on. */
  readonly isExtra?: boolean;
}

/** Making a schema takes longer than reading a file with it, and most files have no parameters. */
const SCHEMA = experimentSchema();

function schemaWith(parameters: readonly string[], isOfModel: boolean): typeof SCHEMA {
  return parameters.length === 0 && !isOfModel ? SCHEMA : experimentSchema(parameters, isOfModel);
}

/** A file without the keys of its sweep that are neither axes nor parameters. */
function withoutExtras(file: ExperimentFile, issues: readonly SchemaIssue[]): ExperimentFile {
  const extras = issues
    .filter(({ path, isExtra }) => isExtra && path[0] === 'sweep')
    .map(({ path }) => path[1]);
  if (extras.length === 0 || !file.sweep) return file;
  return {
    ...file,
    sweep: Object.fromEntries(Object.entries(file.sweep).filter(([key]) => !extras.includes(key))),
  };
}

function issuesOfSchema(content: unknown): readonly SchemaIssue[] {
  const names = findParameterIssues(content).map((issue) => ({ ...issue, isExtra: true }));
  const isOfModel = modelOf(content) !== undefined;
  const { error } = schemaWith(parameterNames(content), isOfModel).safeParse(content);
  // Of the values of what is no parameter nothing can be said.
  const isOfName = ({ path }: Issue) =>
    names.some(({ path: [section, key] }) => path[0] === section && path[1] === key);
  const ofValues = (error?.issues ?? [])
    .flatMap((issue) => flatten(issue, []))
    .filter((issue) => !isOfName(issue));
  const issues = [...names, ...ofValues];
  // One rule may be written as several checks with the same message: an integer, at least 3.
  const distinct = new Map(issues.map((issue) => [`${formatPath(issue.path)} ${issue.message}`, issue]));
  return [...distinct.values()];
}

/** The issues that an issue of zod stands for, unions entered where the value says which branch was meant. */
function flatten(issue: z.core.$ZodIssue, above: Path): readonly SchemaIssue[] {
  const path = [...above, ...(issue.path as Path)];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(path, key), isExtra: true }));
  }
  if (issue.code === 'invalid_union') {
    const [meant] = issue.errors
      .filter(
        (branch) => !branch.some(({ code, path: at }) => at.length === 0 && code.startsWith('invalid_')),
      )
      .sort((a, b) => a.length - b.length);
    if (meant !== undefined) return meant.flatMap((inner) => flatten(inner, path));
  }
  return [{ path, message: issue.message }];
}

function unknownKey(path: Path, key: string): string {
  const keys = knownKeys(path);
  if (keys.includes(key)) return `expected no ${show(key)} beside the other keys, got one; remove it or them`;
  const near = nearest(key, keys);
  return `unknown key; ${near === undefined ? `known are ${keys.join(', ')}` : `did you mean "${near}"?`}`;
}
