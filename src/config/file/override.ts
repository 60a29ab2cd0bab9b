import { AXES, AXIS_NAMES } from '../axes.js';
import { deepNesting } from './json.js';
import { adviceOnPath, isKnownPath } from './known-path.js';
import { expected, formatPath, type Path, type Problem, parsePath, show } from './problem.js';

/** What `--set` did to a file. */
export interface Overridden {
  /** The file's content with the overrides in it. */
  readonly content: unknown;
  /** Paths that were set. */
  readonly paths: readonly Path[];
  readonly problems: readonly Problem[];
}

/** Keys that a sweep decides, so that setting them would do nothing. */
const SWEPT_BY: Readonly<Record<string, string>> = Object.fromEntries(
  AXIS_NAMES.map((axis) => [AXES[axis].path.join('.'), axis]),
);

/** A value of JSON text; `undefined` for what is missing. */
type Json = unknown;

/**
 * Sets `path=value` in the content of an experiment file, one after the other.
 *
 * A value that is not JSON is a string: `scaling=FSC`, `network.branchScale=1/sqrt(L)`. A path that no experiment has is
 * a problem, and so is one whose value a sweep of the file decides.
 */
export function applyOverrides(content: Json, overrides: readonly string[]): Overridden {
  const paths: Path[] = [];
  const problems: Problem[] = [];
  const refuse = (path: string, message: string) => problems.push({ source: '--set', path, message });
  let result = content;

  for (const override of overrides) {
    const equals = override.indexOf('=');
    const text = (equals < 0 ? override : override.slice(0, equals)).trim();
    const path = parsePath(text);
    if (equals < 0) {
      refuse('', expected('path=value', override, 'such as network.width=50'));
    } else if (path === undefined || !isKnownPath(path)) {
      refuse(path === undefined ? show(text) : text, `unknown path; ${adviceOnPath(text)}`);
    } else {
      const outcome = withValue(result, path, readValue(override.slice(equals + 1)), []);
      if ('refusal' in outcome) refuse(formatPath(path), outcome.refusal);
      else {
        result = outcome.value;
        paths.push(path);
      }
    }
  }

  for (const path of paths) {
    const axis = Object.entries(SWEPT_BY).find(([key]) => `${formatPath(path)}.`.startsWith(`${key}.`))?.[1];
    const sweep = (result as { sweep?: Record<string, Json> } | undefined)?.sweep;
    if (axis !== undefined && sweep?.[axis] !== undefined) {
      refuse(
        formatPath(path),
        `expected no sweep of it, got sweep.${axis}, which decides; set sweep.${axis}`,
      );
    }
  }
  return { content: result, paths, problems };
}

function readValue(text: string): Json {
  if (deepNesting(text) !== undefined) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A copy of the JSON value with another value at a path; objects on the way are made. */
function withValue(
  target: Json,
  path: Path,
  value: Json,
  above: Path,
): { readonly value: Json } | { readonly refusal: string } {
  const [key, ...rest] = path;
  if (key === undefined) return { value };
  const place = above.length === 0 ? 'the file' : formatPath(above);
  if (typeof key === 'number') {
    if (!Array.isArray(target)) return { refusal: expected(`a list at ${place}`, target) };
    if (key > target.length) return { refusal: expected(`an index up to ${target.length} in ${place}`, key) };
    const inner = withValue(target[key], rest, value, [...above, key]);
    return 'refusal' in inner ? inner : { value: target.toSpliced(key, 1, inner.value) };
  }
  if (target !== undefined && (typeof target !== 'object' || target === null || Array.isArray(target))) {
    return { refusal: expected(`an object at ${place}`, target) };
  }
  const object = (target ?? {}) as Record<string, Json>;
  const inner = withValue(object[key], rest, value, [...above, key]);
  return 'refusal' in inner ? inner : { value: { ...object, [key]: inner.value } };
}
