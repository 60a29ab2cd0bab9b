/** The tensor backends, apart from what loads them, so that a list costs nothing. */

/** Names, fastest first. */
export const BACKENDS = ['native', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** Memory that a backend addresses, bytes: wasm has 32 bits. */
export const MOST_BYTES: Readonly<Record<BackendName, number>> = {
  wasm: 4e9,
  cpu: Infinity,
  native: Infinity,
};

/** The package of each. */
export const BACKEND_PACKAGES: Readonly<Record<BackendName, string>> = {
  native: '@tensorflow/tfjs-node',
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: '@tensorflow/tfjs-backend-cpu',
};
