/**
 * What a batch that still trains has come to: the file that a run which was killed goes on from, whole or absent.
 *
 *     64 hexadecimal digits   SHA-256 of all that follows the line feed
 *     the rest                origin, keys of the cells and the state, as V8 serializes them: exact to the last bit
 */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Origin } from './cell-file.js';
import { readRegularFile } from './regular-file.js';
import { writeFile } from './write-file.js';

export const SNAPSHOT = '.training';

interface Snapshot {
  readonly origin: Origin;
  readonly keys: readonly string[];
  readonly state: unknown;
}

/** Where the snapshot of a batch is: its cells tell it from others. */
export function snapshotPath(folder: string, keys: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(keys)).digest('hex');
  return join(folder, `${digest.slice(0, 32)}${SNAPSHOT}`);
}

/** @throws Error of the file system, with the path; the snapshot before is there then. */
export function writeSnapshot(path: string, snapshot: Snapshot): void {
  const body = serialize(snapshot);
  mkdirSync(dirname(path), { recursive: true });
  writeFile(path, Buffer.concat([Buffer.from(`${sha256(body)}\n`), body]));
}

/** Undefined where there is none, none of this origin, or one that is damaged: the batch begins anew then. */
export function readSnapshot(path: string, origin: Origin): Snapshot | undefined {
  const bytes = readRegularFile(path);
  if (!bytes || bytes.toString('latin1', 0, 64) !== sha256(bytes.subarray(65))) return undefined;
  const snapshot = deserialize(bytes.subarray(65)) as Snapshot;
  const isOurs = snapshot.origin.digest === origin.digest && snapshot.origin.backend === origin.backend;
  return isOurs ? snapshot : undefined;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
