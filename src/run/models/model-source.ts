/** The files of models that experiments name: where they are, and what they say. */
import { createHash } from 'node:crypto';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import type { FindModel } from '../../config/model.js';
import { nearest } from '../../nearest.js';
import { listFiles, readBytes, reasonOf, shown, statusOf } from '../../store/files.js';

/** A finder of models in folders, the first that has the file. */
export function modelsIn(folders: readonly string[]): FindModel {
  return (file, kind = 'model') => {
    const folder = folders.find((each) => statusOf(resolve(each, file)) !== undefined) ?? folders[0]!;
    const path = resolve(folder, file);
    const status = statusOf(path);
    const what =
      kind === 'text'
        ? 'expected a file of text'
        : 'expected a JavaScript module (.mjs, .js) or a model.json';
    if (!status) {
      const near = nearest(
        file,
        modelsBeside(path).map((name) => join(dirname(file), name)),
      );
      const advice = near === undefined ? 'its path is from where this file lies' : `did you mean ${near}?`;
      return `${what}, got "${file}"; there is no ${shown(path)}; ${advice}`;
    }
    if (!status.isFile() || (kind === 'model' && !KINDS.test(path))) {
      const advice = kind === 'model' ? '; name the model.json in it' : '';
      return `${what}, got "${file}", ${status.isDirectory() ? `a folder${advice}` : 'another file'}`;
    }
    try {
      return { file, found: { path, folder, digest: digestOf(path) } };
    } catch (error) {
      const reason = reasonOf(error) ?? (error as Error).message;
      return `${what}, got "${file}"; it cannot be read: ${reason}`;
    }
  };
}

const KINDS = /\.([cm]?[jt]s|json)$/;

function modelsBeside(path: string): string[] {
  const folder = dirname(path);
  return statusOf(folder)?.isDirectory() ? listFiles(folder, '').filter((name) => KINDS.test(name)) : [];
}

/**
 * SHA-256 of what a model says: its file, files of weights that it names, and of a module the files that it imports from beside it, and
 * those that these import. Packages are in it by their names alone.
 */
function digestOf(path: string): string {
  const hash = createHash('sha256');
  const files = new Map<string, Uint8Array>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    const bytes = readBytes(file);
    files.set(file, bytes);
    for (const name of namedFiles(file, bytes)) {
      const other = resolve(dirname(file), name);
      // What is not there, loading tells.
      if (statusOf(other)?.isFile()) visit(other);
    }
  };
  visit(path);
  const names = [...files.keys()].map(
    (file) => [relative(dirname(path), file).split(sep).join('/'), file] as const,
  );
  for (const [name, file] of names.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const own = createHash('sha256').update(files.get(file)!).digest('hex');
    hash.update(`${name} ${own}\n`);
  }
  return hash.digest('hex');
}

/** Files beside a file that it names: imports with a relative path, `new URL(path, import.meta.url)`, and weights. */
function namedFiles(file: string, bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes).toString('utf8');
  if (!KINDS.test(file)) return [];
  if (extname(file) !== '.json') {
    const names = text.matchAll(
      /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\(|\bnew URL\()\s*['"`](\.\.?\/[^'"`]+)['"`]/g,
    );
    return Array.from(names, ([, name]) => name!);
  }
  try {
    const { weightsManifest } = JSON.parse(text) as {
      readonly weightsManifest?: readonly { readonly paths: readonly string[] }[];
    };
    return (weightsManifest ?? []).flatMap(({ paths }) => paths);
  } catch {
    return [];
  }
}
