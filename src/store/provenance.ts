/** What the installed packages say of the program that runs. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PACKAGE_ROOT } from './files.js';

/** Version of an installed package; undefined when it is not installed. */
export function packageVersion(name: string): string | undefined {
  try {
    return versionIn(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    // Packages may hide their package.json from resolution.
    try {
      return versionIn(join(PACKAGE_ROOT, 'node_modules', name, 'package.json'));
    } catch {
      return undefined;
    }
  }
}

/** Version of feature-speed. */
export function programVersion(): string {
  return versionIn(join(PACKAGE_ROOT, 'package.json'));
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
