import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { formatPath, type Path, type Problem, show } from './problem.js';

/** A JSON object read from a file, with the place of everything in it. */
export interface JsonFile {
  readonly root: Node;
  readonly problems: readonly Problem[];
  /** A problem at the value of a path, or as deep on the way to it as the file goes; at the key, if so wanted. */
  readonly problemAt: (path: Path, message: string, at?: 'value' | 'key') => Problem;
}

const LARGEST_FILE = 1 << 20;

/** Experiments nest 5 deep; the parser recurses. */
const DEEPEST_NESTING = 32;

/** What the parser expected, by the name of its error code. */
const EXPECTED: Readonly<Record<string, string>> = {
  InvalidSymbol: 'a JSON value',
  InvalidNumberFormat: 'a number',
  PropertyNameExpected: 'a key in double quotes',
  ValueExpected: 'a value',
  ColonExpected: 'a colon',
  CommaExpected: 'a comma',
  CloseBraceExpected: 'a closing }',
  CloseBracketExpected: 'a closing ]',
  EndOfFileExpected: 'the end of the file',
  UnexpectedEndOfString: 'a closing double quote on the same line',
  UnexpectedEndOfNumber: 'a number with digits after the point or the exponent',
  InvalidUnicode: 'four hexadecimal digits after \\u',
  InvalidEscapeCharacter: 'one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u after a backslash',
  InvalidCharacter: 'a control character to be escaped',
};

/**
 * Reads strict JSON: no comments, no trailing commas, no key twice.
 *
 * A comment, a trailing comma, a duplicate key and a byte order mark leave no doubt about what was meant: the object is
 * still returned, so that its other problems are found at once. Behind any other mistake the rest is guesswork.
 *
 * @param source name of the file in problems
 * @returns the object, or only problems when the text is none
 */
export function readJson(text: string, source: string): JsonFile | { readonly problems: readonly Problem[] } {
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];

  function problemAtOffset(offset: number, message: string, path: Path = []): Problem {
    const line = countUpTo(lineStarts, offset);
    return {
      source,
      line,
      column: offset - lineStarts[line - 1]! + 1,
      path: formatPath(path),
      message,
    };
  }

  if (text.length > LARGEST_FILE) {
    const message = `expected at most ${LARGEST_FILE} characters, got ${text.length}; is this an experiment file?`;
    return { problems: [problemAtOffset(0, message)] };
  }
  const hasMark = text.startsWith('\uFEFF');
  const json = hasMark ? ` ${text.slice(1)}` : text;
  const mark = hasMark
    ? [problemAtOffset(0, 'expected UTF-8 without a byte order mark, got one; remove it')]
    : [];

  const undecoded = json.search(/[\0\uFFFD]/);
  if (undecoded >= 0) {
    const message = `expected UTF-8, got ${json[undecoded] === '\0' ? 'a NUL character' : 'bytes that are none'}; save the file as UTF-8`;
    return { problems: [problemAtOffset(undecoded, message)] };
  }
  if (json.trim() === '') {
    return { problems: [...mark, problemAtOffset(0, 'expected an object { ... }, got an empty file')] };
  }
  const tooDeep = deepNesting(json);
  if (tooDeep !== undefined) {
    const message = `expected at most ${DEEPEST_NESTING} levels of brackets, got more; an experiment has 5`;
    return { problems: [...mark, problemAtOffset(tooDeep, message)] };
  }

  const errors: ParseError[] = [];
  const root = parseTree(json, errors, { disallowComments: true });
  const slips: Problem[] = [];
  for (const error of errors) {
    const code = printParseErrorCode(error.error);
    const before = json.slice(0, error.offset).trimEnd();
    const isTrailing = before.endsWith(',') && /^[\]}]/.test(json.slice(error.offset, error.offset + 1));
    if (code === 'InvalidCommentToken') {
      slips.push(problemAtOffset(error.offset, 'expected strict JSON, got a comment; remove it'));
    } else if (isTrailing && /^(Value|PropertyName)Expected$/.test(code)) {
      const problem = problemAtOffset(
        before.length - 1,
        'expected strict JSON, got a trailing comma; remove it',
      );
      // An object's trailing comma is reported twice by the parser: for the key and for the value.
      if (slips.at(-1)?.line !== problem.line || slips.at(-1)?.column !== problem.column) slips.push(problem);
    } else {
      const found = json.slice(error.offset, error.offset + Math.max(1, error.length));
      const got = found === '' ? 'the end of the file' : show(found);
      const problem = problemAtOffset(error.offset, `expected ${EXPECTED[code] ?? 'JSON'}, got ${got}`);
      return { problems: [...mark, ...slips, problem] };
    }
  }
  if (root?.type !== 'object') {
    const got = root?.type === 'array' ? 'a list' : `a ${root?.type ?? 'comment'}`;
    const message = `expected an object { ... }, got ${got}`;
    return { problems: [...mark, ...slips, problemAtOffset(root?.offset ?? 0, message)] };
  }

  return {
    root,
    problems: [
      ...mark,
      ...slips,
      ...duplicateKeys(root, []).map(({ key, path }) =>
        problemAtOffset(key.offset, `expected every key once, got ${show(key.value)} again`, path),
      ),
    ],
    problemAt: (path, message, at = 'value') => {
      const { key, value } = deepest(root, path);
      return problemAtOffset((at === 'key' ? (key ?? value) : value).offset, message, path);
    },
  };
}

/** How many of the ascending numbers are at most the bound. */
function countUpTo(ascending: readonly number[], bound: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** As the parser reads them: a string ends with its line, unless the line end is escaped. */
const STRING_COMMENT_OR_BRACKET =
  /"[^"\\\n\r]*(?:\\[\s\S][^"\\\n\r]*)*"?|\/\/.*|\/\*[\s\S]*?(?:\*\/|$)|[[\]{}]/g;

/** Where brackets outside strings and comments first nest too deep for parsers that recurse; undefined when they do not. */
export function deepNesting(json: string): number | undefined {
  let level = 0;
  for (const { 0: token, index } of json.matchAll(STRING_COMMENT_OR_BRACKET)) {
    if (token === '[' || token === '{') level += 1;
    else if (token === ']' || token === '}') level -= 1;
    if (level > DEEPEST_NESTING) return index;
  }
  return undefined;
}

/** Key and value of every property of an object; the parser leaves out the value of a property that it could not read. */
function properties(node: Node): readonly { readonly key: Node; readonly value: Node | undefined }[] {
  return (node.children ?? []).flatMap(({ children: [key, value] = [] }) =>
    key === undefined ? [] : [{ key, value }],
  );
}

function duplicateKeys(node: Node, path: Path): readonly { readonly key: Node; readonly path: Path }[] {
  if (node.type === 'array') {
    return (node.children ?? []).flatMap((child, index) => duplicateKeys(child, [...path, index]));
  }
  if (node.type !== 'object') return [];
  const seen = new Set<string>();
  return properties(node).flatMap(({ key, value }) => {
    const name: string = key.value;
    const here = [...path, name];
    const again = seen.has(name) ? [{ key, path: here }] : [];
    seen.add(name);
    return value === undefined ? again : [...again, ...duplicateKeys(value, here)];
  });
}

/** The node at a path, or the last one on the way to it; of a key that stands twice, the last, as in its value. */
function deepest(root: Node, path: Path): { readonly key: Node | undefined; readonly value: Node } {
  let key: Node | undefined;
  let value = root;
  for (const step of path) {
    const property =
      typeof step === 'number'
        ? { key: undefined, value: value.type === 'array' ? value.children?.[step] : undefined }
        : value.type === 'object'
          ? properties(value).findLast((candidate) => candidate.key.value === step)
          : undefined;
    if (property?.value === undefined) break;
    key = property.key;
    value = property.value;
  }
  return { key, value };
}
