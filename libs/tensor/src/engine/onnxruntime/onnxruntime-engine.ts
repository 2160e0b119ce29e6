import { copyOf, ndarray, isDType, type NdArray } from '@longrun/serialization';
import type { InferenceSession, Tensor } from 'onnxruntime-node';

import { toposort } from '../../graph/walk.js';
import type { ComputeTarget, Executable, FunctionGraph } from '../engine.js';
import { repeat } from '../profile.js';
import { elementsOf, HostValue, type StoredValue } from '../stored-value.js';
import { failureOf } from './failure.js';
import { lowerToOnnx } from './lower.js';
import { withProfiling } from './profiling.js';

/** Compiles a graph to one ONNX model and opens a session of ONNX Runtime for it. */
export async function compileOnnxruntime(graph: FunctionGraph, target: ComputeTarget): Promise<Executable> {
  const ort = await import('onnxruntime-node');
  const { model, inputNames, outputNames } = lowerToOnnx(graph.name, graph.inputs, graph.outputs);
  const session = await ort.InferenceSession.create(model, sessionOptions(graph, target)).catch((error: unknown) => {
    throw new Error(`${graph.name}: ONNX Runtime does not take the model: ${messageOf(error)}`, { cause: error });
  });

  const runIn = async (opened: InferenceSession, inputs: readonly (NdArray | StoredValue)[]): Promise<HostValue[]> => {
    const values = await Promise.all(inputs.map(elementsOf));
    const feeds: Record<string, Tensor> = {};
    for (const [at, name] of inputNames.entries()) {
      const value = values[at];
      if (value !== undefined) feeds[name] = new ort.Tensor(value.dtype, feedable(value), value.shape);
    }
    // No preallocated outputs: values never change, and those that are fed may be held by others, such as a snapshot.
    const results = await opened.run(feeds).catch((error: unknown) => {
      throw failureOf(graph, values, error);
    });
    return outputNames.map((name) => new HostValue(toNdArray(graph.name, results[name])));
  };

  return {
    run: (inputs) => runIn(session, inputs),
    profile: (inputs, runs) =>
      withProfiling(async (options) => {
        // A session of its own: one that may be profiled is slower, and cannot go on once it has told.
        const profiled = await ort.InferenceSession.create(model, { ...sessionOptions(graph, target), ...options });
        try {
          await repeat(runs, async () => await runIn(profiled, inputs));
          profiled.endProfiling();
        } finally {
          await profiled.release();
        }
      }),
    dispose: () => session.release(),
  };
}

function sessionOptions(graph: FunctionGraph, target: ComputeTarget): InferenceSession.SessionOptions {
  const { provider, device, threads } = target;
  return {
    executionProviders: [provider === 'cuda' ? { name: 'cuda', deviceId: device } : provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Threads that sleep between two ops take a tenth of a step to wake up. They spin for as long as most pauses last, and within a run
    // alone: those of several sessions would take the cores from one another. Values must be strings.
    extra: {
      session: { intra_op: { allow_spinning: '1', spin_duration_us: '50' }, force_spinning_stop: '1' },
      optimization: { disable_specified_optimizers: wrongFusions(graph).join(';') },
    },
    // Fatal ones only: other errors are thrown, and need not be on stderr too.
    logSeverityLevel: 4,
  };
}

/** The fusions of ONNX Runtime that must not be made. */
function wrongFusions(graph: FunctionGraph): string[] {
  // It takes the padding of filters for one of the image.
  const ofAll = ['Pad_Fusion'];
  // It keeps the factor of a product of matrices as a float32.
  return computesInFloat64(graph) ? [...ofAll, 'MatMulScaleFusion'] : ofAll;
}

/** Whether a float64 that is no scalar is computed with, inside of inner graphs too. */
function computesInFloat64({ inputs, outputs }: FunctionGraph): boolean {
  return toposort(outputs, { blockers: inputs, inside: true }).some((node) =>
    node.inputs.some(({ dtype, ndim }) => dtype === 'float64' && ndim > 0),
  );
}

/** Sums along an axis begin where the memory is next aligned, so that their last bits would depend on where an array lies. */
const ALIGNMENT_BYTES = 16;

/** The elements in memory that ONNX Runtime takes, which threads do not share, and that starts where new memory does. */
function feedable(value: NdArray): NdArray['data'] {
  const { buffer, byteOffset } = value.data;
  const isTaken = !(buffer instanceof SharedArrayBuffer) && byteOffset % ALIGNMENT_BYTES === 0;
  return isTaken ? value.data : copyOf(value).data;
}

function toNdArray(name: string, tensor: Tensor | undefined): NdArray {
  if (tensor === undefined) throw new Error(`${name}: ONNX Runtime returned no value for an output`);
  const { type, dims, data } = tensor;
  if (!isDType(type) || Array.isArray(data) || data instanceof BigUint64Array) {
    throw new Error(`${name}: ONNX Runtime returned a value of type ${type} for an output`);
  }
  return ndarray(type, dims, data);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
