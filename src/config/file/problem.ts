/** Keys and indices from the top of a file. */
export type Path = readonly (string | number)[];

/** Something wrong at a key of an experiment file. */
export interface Issue {
  readonly path: Path;
  readonly message: string;
}

/** One mistake in an experiment file or in an override of it. */
export interface Problem {
  /** File name, or `--set` for an override. */
  readonly source: string;
  /** From 1; absent for an override. */
  readonly line?: number;
  /** From 1, in UTF-16 units; absent for an override. */
  readonly column?: number;
  /** `sweep.depth[0]`; empty for the file as a whole. */
  readonly path: string;
  /** `expected WHAT, got VALUE; ADVICE` */
  readonly message: string;
}

/** `configs/x.json:7:16 sweep.depth[0]: expected an integer >= 3, got 2`. */
function formatProblem({ source, line, column, path, message }: Problem): string {
  const place = [source, line, column].filter((part) => part !== undefined).join(':');
  return `${place}${path === '' ? '' : ` ${path}`}: ${message}`;
}

/** One problem a line. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('\n');
}

/** A path as people write it: `sweep.depth[0]`; keys that are not plain words are quoted, `["a b"]`. */
export function formatPath(path: Path): string {
  return path
    .map((key) => {
      if (typeof key === 'number') return `[${key}]`;
      return /^[\w$-]{1,64}$/.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 64))}]`;
    })
    .join('')
    .replace(/^\./, '');
}

/** The opposite of `formatPath` for plain words; undefined for what is no path. */
export function parsePath(text: string): Path | undefined {
  if (!/^[\w$-]+(\.[\w$-]+|\[\d{1,9}\])*$/.test(text)) return undefined;
  return [...text.matchAll(/([\w$-]+)|\[(\d+)\]/g)].map(([, key, index]) => key ?? Number(index));
}

const LONGEST_SHOWN = 60;

/** A value of a file in a message: JSON, cut when long; `nothing` for what is missing. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
}

/** Message of a problem: `expected WHAT, got VALUE; ADVICE`. */
export function expected(what: string, value: unknown, advice = ''): string {
  return `expected ${what}, got ${show(value)}${advice === '' ? '' : `; ${advice}`}`;
}
