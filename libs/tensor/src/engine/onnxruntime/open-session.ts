import { readFile, rm } from 'node:fs/promises';

import type { InferenceSession } from 'onnxruntime-node';

import { compileCache, CompileCache, KEPT } from '../compile-cache.js';
import type { ComputeTarget, ProgramSource } from '../engine.js';
import { environmentOf } from './environment.js';
import type { LoweredGraph } from './lower.js';
import { onnxruntimeNode } from './onnxruntime-node.js';

/** A session, and whether its model was optimized before. */
export interface OpenedSession {
  readonly session: InferenceSession;
  readonly source: ProgramSource;
}

/**
 * A graph of fewer nodes is optimized as fast as it is read and verified: an MLP's step, with 71, takes 6 ms and would take 3; that of LeNet, with 146, takes as long.
 * A recurrent network, with 206, takes 17 ms and 8; a transformer, with 1131, takes 102 ms and 28.
 */
const LEAST_NODES = 200;
/** More is constants, which are as long in the cache, and take their time to hash. */
const MOST_MODEL_BYTES = 16 * 2 ** 20;

/**
 * Opens a session of ONNX Runtime for a model. Its optimized form is kept in the cache of this process, where it has one: it runs the same kernels,
 * with the same bits. Names of variables are part of it, as ONNX Runtime's errors have them.
 *
 * @throws Error naming the function, with what ONNX Runtime says
 */
export async function openSession(
  name: string,
  { model, nodes }: Pick<LoweredGraph, 'model' | 'nodes'>,
  options: InferenceSession.SessionOptions,
  target: ComputeTarget,
): Promise<OpenedSession> {
  const cache = compileCache();
  const uncached = async (reason?: string): Promise<OpenedSession> => ({
    session: await created(name, model, options),
    source: { from: 'compiler', reason },
  });
  const reason = whyNotCached(cache, { model, nodes }, target) ?? (await cache?.unusable());
  if (cache === undefined || reason !== undefined) return await uncached(reason);
  const key = CompileCache.keyOf([LAYOUT, JSON.stringify([environmentOf(target), options]), model]);
  const optimized = await cache.find(key);
  if (optimized !== undefined) {
    try {
      const session = await created(name, optimized, { ...options, graphOptimizationLevel: 'disabled' });
      return { session, source: { from: 'cache' } };
    } catch {
      await cache.remove(key);
    }
  }
  const unwritable = await cache.unwritable();
  if (unwritable !== undefined) return await uncached(unwritable);
  const file = cache.temporaryFile();
  try {
    // The model needs no file: that a disk is full is no error.
    const saving = await created(name, model, { ...options, optimizedModelFilePath: file }).catch(() => undefined);
    const session = saving ?? (await created(name, model, options));
    const bytes = await readFile(file).catch(() => undefined);
    const failure =
      saving === undefined || bytes === undefined
        ? `ONNX Runtime could not write to ${cache.folder}`
        : await cache.keep(key, bytes);
    return { session, source: { from: 'compiler', reason: failure ?? KEPT } };
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}

/** Changes with how sessions are opened in a way that neither the options nor the model show. */
const LAYOUT = 'onnxruntime 1';

function whyNotCached(
  cache: CompileCache | undefined,
  { model, nodes }: Pick<LoweredGraph, 'model' | 'nodes'>,
  { provider }: ComputeTarget,
): string | undefined {
  if (cache === undefined) return 'LONGRUN_COMPILE_CACHE names no folder';
  if (provider !== 'cpu') return `what is compiled for ${provider} cannot be kept`;
  if (nodes < LEAST_NODES) return `it has ${nodes} nodes, of ${LEAST_NODES} that are worth it`;
  if (model.length > MOST_MODEL_BYTES)
    return `its constants take ${model.length} bytes, of ${MOST_MODEL_BYTES} at most`;
  return undefined;
}

async function created(
  name: string,
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  return await onnxruntimeNode()
    .InferenceSession.create(model, options)
    .catch((error: unknown) => {
      throw new Error(`${name}: ONNX Runtime does not take the model: ${messageOf(error)}`, { cause: error });
    });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
