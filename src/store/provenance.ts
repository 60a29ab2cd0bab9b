/** What the installed packages say of the program that runs. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PACKAGE_ROOT } from './files.js';

/** Version of an installed package; undefined when it is not installed. */
export function packageVersion(name: string): string | undefined {
  // Looked for in the folders, and not resolved, since packages may hide their package.json.
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const path = folders.map((folder) => join(folder, name, 'package.json')).find((each) => existsSync(each));
  return path && versionIn(path);
}

/** Version of feature-speed. */
export function programVersion(): string {
  return versionIn(join(PACKAGE_ROOT, 'package.json'));
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
