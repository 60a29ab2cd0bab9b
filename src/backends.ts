/** Names of the tensor backends, fastest first; apart from what loads them, so that a list costs nothing. */
export const BACKENDS = ['native', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];
