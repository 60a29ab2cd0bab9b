/** The libraries that draw, as scripts: what a page of ours carries is what drew its picture. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';

/** Vega and Vega-Lite. */
export interface Libraries {
  readonly vega: typeof import('vega');
  readonly vegaLite: typeof import('vega-lite');
}

let loaded: Promise<Libraries> | undefined;

/** Both, loaded once: two scripts take 60 ms, where the seventy modules of the packages take 300. */
export function loadLibraries(): Promise<Libraries> {
  loaded ??= (async () => {
    const vega = evaluate<Libraries['vega']>(await libraryText('vega', 'vega.min.js'));
    return { vega, vegaLite: evaluate(await libraryText('vega-lite', 'vega-lite.min.js'), vega) };
  })();
  return loaded;
}

/** What a script exports that requires one other at most. */
function evaluate<T>(script: string, required?: unknown): T {
  const module = { exports: {} };
  compileFunction(script, ['module', 'exports', 'require'])(module, module.exports, () => required);
  return module.exports as T;
}

/** A browser build of a package, which its `exports` hide but which lies beside the module entry, as script text. */
export async function libraryScript(name: string, file: string): Promise<string> {
  return inScript(await libraryText(name, file));
}

function libraryText(name: string, file: string): Promise<string> {
  const entry = createRequire(import.meta.url).resolve(name);
  return readFile(join(dirname(entry), file), 'utf8');
}

/**
 * Script text that cannot end its element early, with the address of the online editor taken out.
 *
 * The editor is reached only through a menu entry that is switched off; without the address no reader has to check.
 */
function inScript(code: string): string {
  return code.replace(/<\/(script)/gi, '<\\/$1').replaceAll('https://vega.github.io/editor/', 'about:blank');
}
