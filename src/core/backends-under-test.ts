/**
 * The backends that numeric tests run on: wasm and cpu, and native where it loads. FEATURE_SPEED_BACKENDS, a list such as
 * `wasm,cpu,native`, names those that must be tested; then one that does not load fails its tests.
 */
import type {} from 'vitest';
import { BACKENDS, type BackendName } from '../backends.js';
import { openBackend } from './backend.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The one that a test runs on: numeric tests run once for each. */
    readonly backend: BackendName;
  }
}

interface UnderTest {
  readonly tested: readonly BackendName[];
  /** Backends that are not tested, with the reason. */
  readonly untested: readonly string[];
}

/** @throws Error when an unknown backend is asked for. */
export async function findBackendsUnderTest(
  asked = process.env.FEATURE_SPEED_BACKENDS ?? '',
): Promise<UnderTest> {
  const names = asked.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !BACKENDS.includes(name as BackendName));
  if (unknown.length > 0) {
    throw new Error(
      `FEATURE_SPEED_BACKENDS: expected some of ${BACKENDS.join(', ')}, got ${unknown.join(', ')}`,
    );
  }
  if (names.length > 0) {
    const untested = BACKENDS.filter((name) => !names.includes(name)).map((name) => `${name}: not asked for`);
    return { tested: names as BackendName[], untested };
  }
  try {
    await openBackend('native');
    return { tested: ['wasm', 'cpu', 'native'], untested: [] };
  } catch (error) {
    return { tested: ['wasm', 'cpu'], untested: [`native: ${(error as Error).message.split('\n')[0]}`] };
  }
}

/** `backends tested: wasm, cpu (native: why not)`. */
export function describeBackends({ tested, untested }: UnderTest): string {
  const rest = untested.length > 0 ? ` (${untested.join('; ')})` : '';
  return `backends tested: ${tested.join(', ')}${rest}`;
}
