import type * as TensorFlowCore from '@tensorflow/tfjs-core';

import type { ComputeTarget } from '../engine.js';
import { PACKAGES, requirePackage, tfjsProvider, type TfjsProvider } from './packages.js';

/** The functions of TensorFlow.js. */
export type TensorFlow = typeof TensorFlowCore;

/** TensorFlow.js with one of its backends, loaded. */
export interface TfjsDevice {
  readonly tf: TensorFlow;
  /**
   * Calls `work` while its backend is the one that computes, and gives what it returns; what several ask for is done one after the other.
   *
   * @throws Error where the backend does not start
   */
  readonly compute: <T>(work: () => T) => Promise<T>;
}

/**
 * Loads TensorFlow.js, once in a process: its threads and its GPU are those of the first call.
 *
 * @throws Error where it was loaded for another number of threads or another GPU
 */
export function openDevice(target: ComputeTarget): TfjsDevice {
  const provider = tfjsProvider(target.provider);
  const { backend } = PACKAGES[provider];
  const tf = provider === 'cpu' ? loadPlain() : loadNative(provider, target);
  return {
    tf,
    async compute(work) {
      const turn = lastTurn.then(async () => {
        if (tf.getBackend() !== backend && !(await tf.setBackend(backend))) {
          throw new Error(`TensorFlow.js does not start its backend ${backend}`);
        }
        return work();
      });
      lastTurn = turn.catch(() => undefined);
      return await turn;
    },
  };
}

/** Ends when nobody computes: all backends are those of one TensorFlow.js, which computes with one at a time. */
let lastTurn: Promise<unknown> = Promise.resolve();

function loadPlain(): TensorFlow {
  const tf = load('@tensorflow/tfjs-core');
  // Without it the backend advises on stderr to install another one.
  tf.enableProdMode();
  requirePackage(PACKAGES.cpu.name);
  return tf;
}

/** What TensorFlow was started with, which cannot be changed in a process. */
let started: { readonly provider: TfjsProvider; readonly threads: number; readonly device: number } | undefined;

function loadNative(provider: TfjsProvider, { threads, device }: ComputeTarget): TensorFlow {
  if (started === undefined) {
    // TensorFlow reads them from the environment of the process when it starts.
    process.env.TF_NUM_INTRAOP_THREADS = String(threads);
    process.env.TF_NUM_INTEROP_THREADS = '1';
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
    if (provider === 'cuda') process.env.CUDA_VISIBLE_DEVICES = String(device);
    started = { provider, threads, device };
  } else if (started.provider !== provider || started.threads !== threads || started.device !== device) {
    throw new Error(
      `TensorFlow runs in this process with ${started.threads} threads on ${started.provider} ${started.device}, which cannot ` +
        `change to ${threads} threads on ${provider} ${device}; compile all functions of a process for one target`,
    );
  }
  return load(PACKAGES[provider].name);
}

function load(name: string): TensorFlow {
  const loaded: unknown = requirePackage(name);
  if (isTensorFlow(loaded)) return loaded;
  throw new Error(`${name} is not TensorFlow.js; install it again`);
}

function isTensorFlow(loaded: unknown): loaded is TensorFlow {
  return typeof loaded === 'object' && loaded !== null && 'setBackend' in loaded && 'tidy' in loaded;
}
