/** The manifest: under which circumstances a table came to be. */
import { createHash } from 'node:crypto';
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { z } from 'zod';
import type { WeightsChoice } from '../plan/batch.js';
import { decodeText, ReadError } from './read-text.js';

export interface Manifest {
  readonly name: string;
  readonly title: string;
  /** `partial` when cells are missing: the run was stopped, or some of them failed. */
  readonly status: 'complete' | 'partial';
  /** `i/n` when only the cells of a shard were asked for. */
  readonly shard: string | null;
  /**
   * SHA-256 of the bytes of table.csv, and of slopes.csv and optima.csv if there are: what this manifest vouches for. Manifests of
   * before vouch for nothing.
   */
  readonly sha256?: Readonly<Record<string, string>> | undefined;
  /** SHA-256 of what decides the numbers (`digestOf`); manifests of earlier versions have others, which are no error. */
  readonly digest: string;
  readonly seed: number;
  /** The file as it was run: overrides applied, defaults not. Manifests of before have all defaults filled in. */
  readonly experiment: unknown;
  /** Folder from which the experiment names the file of its model, where it has one; from where the run was started. */
  readonly model_folder?: string;
  readonly commit: string | null;
  /** Whether files that git tracks differed from the commit; null outside a repository. */
  readonly dirty: boolean | null;
  /** Why one of the two is null: what git said. */
  readonly commit_problem: string | null;
  readonly versions: Readonly<Record<string, string>>;
  readonly backend: string;
  readonly precision: 'float32';
  /** What was asked for, and what the cells have. */
  readonly weights_choice: WeightsChoice;
  readonly weights: readonly string[];
  readonly workers: number;
  readonly counts: {
    /** Cells that were asked for. */
    readonly cells: number;
    /** Cells that are measured; diverged ones are. */
    readonly measured: number;
    /** Rows of the table; 0 when there is none yet. */
    readonly rows: number;
    /** Batches of the last run; cells that it resumed are in none. */
    readonly batches: number;
    readonly diverged: number;
    /** Cells that break an identity; undefined in manifests from before these were checked. */
    readonly inexact?: number;
    readonly failed: number;
  };
  /** Cells that left the range of float32, with the first layer where they did. */
  readonly diverged: readonly { readonly cell: string; readonly layer: number }[];
  /** Cells that break an identity which holds exactly, with where and by how much; their rows are left out. */
  readonly inexact?: readonly {
    readonly cell: string;
    readonly step: number;
    readonly layer: number;
    readonly identity: string;
    readonly deviation: number;
    readonly bound: number;
  }[];
  /** Cells that could not be measured, with the reason. */
  readonly failed: readonly { readonly cell: string; readonly reason: string }[];
  readonly started: string;
  /** Time that its batches took, added up over the workers; ms. */
  readonly elapsed_ms: number;
}

/** What the `sha256` of a manifest has for a file. */
export function digestOfBytes(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * What is to be said of a file whose bytes are not those that its manifest vouches for; undefined where they are, and
 * where it vouches for nothing.
 *
 * @param bytes undefined where there is no such file.
 */
export function changeSince(
  { sha256 }: Pick<Manifest, 'sha256'>,
  file: string,
  bytes: Uint8Array | undefined,
): string | undefined {
  if (!sha256) return undefined;
  const expected = sha256[file];
  if ((bytes && digestOfBytes(bytes)) === expected) return undefined;
  if (!bytes) return 'is gone, and its manifest vouches for it';
  if (expected === undefined) return 'is a file that its manifest does not know; something else wrote it';
  return 'has not the bytes that its manifest vouches for: it was edited, or a run was killed as it wrote them';
}

const count = z.int().nonnegative();

/** What a manifest must have; what a later version adds is kept and not looked at. */
const SCHEMA = z.looseObject({
  name: z.string().min(1),
  title: z.string(),
  status: z.enum(['complete', 'partial']).default('complete'),
  shard: z.string().nullable().default(null),
  sha256: z.record(z.string(), z.string()).optional(),
  digest: z.string(),
  seed: z.number(),
  experiment: z.looseObject({}),
  commit: z.string().nullable(),
  dirty: z.boolean().nullable(),
  commit_problem: z.string().nullable().default(null),
  versions: z.record(z.string(), z.string()),
  backend: z.string(),
  weights_choice: z.enum(['auto', 'dense', 'matrix-free']).default('auto'),
  weights: z.array(z.string()),
  workers: count,
  counts: z.looseObject({ cells: count, rows: count, batches: count, diverged: count, failed: count }),
  diverged: z.array(z.looseObject({ cell: z.string(), layer: z.number() })),
  failed: z.array(z.looseObject({ cell: z.string(), reason: z.string() })),
  started: z.string(),
  elapsed_ms: z.number(),
});

/**
 * Reads the bytes of a manifest.json.
 *
 * @throws ReadError, with line and column, for what is no text in UTF-8, no JSON, has a key twice, or lacks what a
 * manifest has; all that is missing is told at once.
 */
export function readManifest(bytes: Uint8Array): Manifest {
  const text = decodeText(bytes);
  const at = (offset: number) => {
    const before = text.slice(0, offset).split('\n');
    return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
  };
  const root = parseJson(text, at);
  const twice = keyThatComesTwice(root);
  if (twice) throw new ReadError(`${at(twice.offset)}: expected the key "${twice.value}" once, got it twice`);
  const parsed = SCHEMA.safeParse(getNodeValue(root));
  // What is not checked here is what nobody decides on.
  if (parsed.success) return parsed.data as unknown as Manifest;
  throw new ReadError(
    parsed.error.issues
      .map(({ path, message }) => {
        const node = nearestNode(root, path as (string | number)[]);
        return `${at(node.offset)}${path.length > 0 ? ` ${path.join('.')}` : ''}: ${message}`;
      })
      .join('\n'),
  );
}

/** The manifest holds small things; what is deeper is none, and would exhaust the stack of the parser. */
const MOST_DEPTH = 100;

function parseJson(text: string, at: (offset: number) => string): Node {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[{\]}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1;
    if (depth > MOST_DEPTH)
      throw new ReadError(`line 1: expected a manifest, got JSON nested deeper than ${MOST_DEPTH}`);
  }
  if (text === '') throw new ReadError('line 1: expected a manifest, got an empty file');
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true });
  const [error] = errors;
  if (root && !error) return root;
  throw new ReadError(
    `${at(error?.offset ?? 0)}: not JSON: ${error ? printParseErrorCode(error.error) : 'no value'}`,
  );
}

function keyThatComesTwice(node: Node): Node | undefined {
  const keys = new Set<string>();
  for (const child of node.children ?? []) {
    const key = child.type === 'property' ? child.children![0]! : undefined;
    if (key && keys.has(key.value)) return key;
    if (key) keys.add(key.value);
    const below = keyThatComesTwice(child);
    if (below) return below;
  }
  return undefined;
}

/** The node at a path, or the nearest above it that exists. */
function nearestNode(root: Node, path: readonly (string | number)[]): Node {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (node) return node;
  }
  return root;
}
