/** The tensor backend of a thread. */
import { createRequire } from 'node:module';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { BackendName } from '../backends.js';
import { registerNativeKernels } from './native-kernels.js';
import { filled } from './ops.js';
import { guardHeap, registerFusedKernels } from './wasm/fused-kernels.js';

/** A backend that answered one operation. */
export interface Backend {
  readonly name: BackendName;
  readonly version: string;
  /** Copies `values` into a new float32 tensor; `values` may be overwritten afterwards. */
  upload<R extends tf.Rank>(values: Float32Array, shape: tf.ShapeMap[R]): tf.Tensor<R>;
  /** A new float32 tensor whose numbers `fill` writes, in place where the backend's memory can be written to. */
  filled(shape: [number, number, number], fill: (values: Float32Array) => void): tf.Tensor3D;
  /** Makes it current again, where another was opened in this thread since, by whomever. */
  makeCurrent(): Promise<void>;
}

const TFJS_NAME = { native: 'tensorflow', wasm: 'wasm', cpu: 'cpu' } as const;

/**
 * Loads a backend, makes it current in this thread and runs one operation on it.
 *
 * @throws Error when it is not installed, does not load, or computes a wrong sum.
 */
export async function openBackend(name: BackendName): Promise<Backend> {
  tf.enableProdMode(); // or the cpu backend greets on stderr
  const version = await load(name);
  if (!(await tf.setBackend(TFJS_NAME[name]))) throw new Error(`the ${name} backend does not start`);
  await tf.ready();
  const sum = tf.tidy(() => tf.sum(tf.tensor1d([1, 2, 3])).dataSync()[0]);
  if (sum !== 6) throw new Error(`the ${name} backend computes 1 + 2 + 3 = ${sum}`);
  // The wasm backend copies into its heap at once; the others keep the array.
  const own = name === 'wasm' ? (values: Float32Array) => values : (values: Float32Array) => values.slice();
  return {
    name,
    version,
    upload: (values, shape) => tf.tensor(own(values), shape, 'float32'),
    filled,
    makeCurrent: async () => {
      if (tf.getBackend() !== TFJS_NAME[name]) await tf.setBackend(TFJS_NAME[name]);
    },
  };
}

async function load(name: BackendName): Promise<string> {
  switch (name) {
    case 'wasm': {
      // Its initialisation listens for uncaught exceptions and rethrows them, which turns every crash of the
      // program into exit code 7: take back what it added.
      const events = ['uncaughtException', 'unhandledRejection'] as const;
      const before = events.map((event) => process.listeners(event as 'uncaughtException'));
      const wasm = await import('@tensorflow/tfjs-backend-wasm');
      await tf.setBackend('wasm');
      await tf.ready();
      guardHeap(tf.backend());
      registerFusedKernels(tf.backend());
      events.forEach((event, i) => {
        for (const listener of process.listeners(event as 'uncaughtException')) {
          if (!before[i]!.includes(listener)) process.off(event, listener);
        }
      });
      return wasm.version_wasm;
    }
    case 'cpu':
      return (await import('@tensorflow/tfjs-backend-cpu')).version_cpu;
    case 'native':
      return loadNative();
  }
}

/** An optional dependency: absent, or present without its binary, when the download failed. */
async function loadNative(): Promise<string> {
  // TensorFlow greets on stderr with the features of the processor; errors are still told.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // With oneDNN products of small states take up to five times as long, and large ones no less; and without it the bits
  // of a lane do not depend on how many there are.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';
  // One thread for each worker: two shared ones cost a third more processor time, and bits would depend on their number.
  process.env.TF_NUM_INTRAOP_THREADS ??= '1';
  // It calls two functions that newer Nodes warn of (22) or lack (23).
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
  const { version } = createRequire(import.meta.url)('@tensorflow/tfjs-node') as {
    version: Record<string, string>;
  };
  await tf.setBackend('tensorflow');
  const backend = tf.backend() as unknown as { readonly binding: { readonly TF_Version: string } };
  registerNativeKernels(backend);
  return `${version['tfjs-node']} with TensorFlow ${backend.binding.TF_Version}`;
}
