/** The built program under test, and what is seen of the files that it leaves. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const PROGRAM =
  process.env.FEATURE_SPEED_PROGRAM ?? new URL('../../dist/cli/main.js', import.meta.url).pathname;

/**
 * Calls the program, through `sh` with a `limit` such as `ulimit -f 8` if there is one.
 *
 * @param meanwhile given the process, and a promise of its end.
 */
export function call(words, { limit = '', environment = {}, cwd = process.cwd(), meanwhile } = {}) {
  const started = performance.now();
  const node = [process.execPath, PROGRAM, ...words];
  const [file, ...rest] = limit === '' ? node : ['sh', '-c', `${limit}; exec "$@"`, 'sh', ...node];
  const child = spawn(file, rest, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise((resolve) =>
    child.once('close', (code, signal) =>
      resolve({ code, signal, stdout, stderr, elapsedMs: performance.now() - started }),
    ),
  );
  void meanwhile?.(child, ended);
  return ended;
}

/** Digests of all files below a folder by their paths; of a manifest, without what differs from run to run. */
export function stateOf(folder) {
  if (!existsSync(folder)) return new Map();
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();
  return new Map(
    paths.map((path) => {
      const bytes = readFileSync(join(folder, path));
      const what = path.endsWith('manifest.json') ? withoutRun(bytes) : bytes;
      return [path, createHash('sha256').update(what).digest('hex')];
    }),
  );
}

function withoutRun(bytes) {
  try {
    const { commit, dirty, workers, started, elapsed_ms, ...rest } = JSON.parse(bytes.toString());
    const { batches, ...counts } = rest.counts;
    return JSON.stringify({ ...rest, counts });
  } catch {
    return bytes;
  }
}

export const isSame = (a, b) => a.size === b.size && [...a].every(([path, digest]) => b.get(path) === digest);

/** Names of what nobody should find beside the results. */
export function litterIn(folder) {
  return [...stateOf(folder).keys()].filter((path) => /\.unfinished-|\.tmp$|\.lock|\.partial/.test(path));
}

/** mulberry32: numbers in [0, 1) from a seed. */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
