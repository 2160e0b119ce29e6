import { copyOf, isDType, type NdArray } from '@longrun/serialization';
import type { InferenceSession, Tensor } from 'onnxruntime-node';

import { at } from '../../arrays/at.js';
import type { Variable } from '../../graph/variable.js';
import { toposort } from '../../graph/walk.js';
import type { ComputeTarget, Executable, FunctionGraph } from '../engine.js';
import type { EngineProgram } from '../engine-program.js';
import { freeBuffer } from '../host-memory.js';
import { repeat } from '../profile.js';
import { elementsOf, HostValue, type StoredValue } from '../stored-value.js';
import { DeviceValue } from './device-value.js';
import { failureOf } from './failure.js';
import { lowerToOnnx, type LoweredGraph, type NodeLabels } from './lower.js';
import { onnxruntimeNode } from './onnxruntime-node.js';
import { openSession, type OpenedSession } from './open-session.js';
import { withProfiling } from './profiling.js';
import { toNdArray } from './to-ndarray.js';

/** Compiles a graph to one ONNX model and opens a session of ONNX Runtime for it. */
export async function compileOnnxruntime(graph: FunctionGraph, target: ComputeTarget): Promise<Executable> {
  const { program, labels } = lowered(graph, target.provider);
  return await openOnnxruntime(graph.name, program, target, () => ({ graph, labels }));
}

/** What a graph becomes for the processor, as data. */
export function lowerOnnxruntime(graph: FunctionGraph): EngineProgram {
  const { model, ...facts } = lowered(graph, 'cpu').program;
  return { bytes: model, facts: JSON.stringify(facts) };
}

/** Opens a session for what {@link lowerOnnxruntime} has made of a graph. */
export async function openLowered(
  name: string,
  { bytes, facts }: EngineProgram,
  target: ComputeTarget,
  graphOf: () => FunctionGraph,
): Promise<Executable> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was written by `lowerOnnxruntime`
  const program = { ...JSON.parse(facts), model: bytes } as OnnxProgram;
  return await openOnnxruntime(name, program, target, () => {
    const graph = graphOf();
    return { graph, labels: lowered(graph, 'cpu').labels };
  });
}

/** What a session is opened for. */
interface OnnxProgram extends Omit<LoweredGraph, 'labels'> {
  /** Fusions of ONNX Runtime that must not be made. */
  readonly leftOut: readonly string[];
}

/** What a program was made of. */
interface Source {
  readonly graph: FunctionGraph;
  readonly labels: NodeLabels;
}

function lowered(
  graph: FunctionGraph,
  provider: string,
): { readonly program: OnnxProgram; readonly labels: NodeLabels } {
  const { labels, ...model } = lowerToOnnx(graph.name, graph.inputs, graph.outputs, provider);
  return { program: { ...model, leftOut: wrongFusions(graph) }, labels };
}

/** @param sourceOf for errors, profiles and what lies on devices */
async function openOnnxruntime(
  functionName: string,
  program: OnnxProgram,
  target: ComputeTarget,
  sourceOf: () => Source,
): Promise<Executable> {
  const ort = onnxruntimeNode();
  const { inputNames, outputNames } = program;
  const options = sessionOptions(program, target, sourceOf);
  const { session, source } = await openSession(functionName, program, options, target);
  /** Of the processor, for what the kernels of WebGPU cannot be given. */
  let spare: Promise<OpenedSession> | undefined;
  const spareSession = async (): Promise<InferenceSession> => {
    const ofProcessor = { ...target, provider: 'cpu' };
    spare ??= openSession(functionName, program, sessionOptions(program, ofProcessor, sourceOf), ofProcessor);
    return (await spare).session;
  };

  /** Of what is fed again and again: parameters that lie where they lay before, and scalars that stay as they are. */
  const tensors = new WeakMap<NdArray, Tensor>();
  const tensorOf = (value: NdArray): Tensor => {
    const known = tensors.get(value);
    if (known !== undefined) return known;
    const data = feedable(value);
    const tensor = new ort.Tensor(value.dtype, data, value.shape);
    if (data === value.data) tensors.set(value, tensor);
    return tensor;
  };

  const runIn = async (
    opened: InferenceSession,
    inputs: readonly (NdArray | StoredValue)[],
    places: readonly (StoredValue | undefined)[] = [],
  ): Promise<StoredValue[]> => {
    const isOnDevice = opened === session && target.provider === 'webgpu';
    const values: (NdArray | DeviceValue)[] = [];
    for (const input of inputs) {
      const value = isOnDevice && input instanceof DeviceValue ? input : elementsOf(input);
      values.push(value instanceof Promise ? await value : value);
    }
    const feeds: Record<string, Tensor> = {};
    for (const [position, name] of inputNames.entries()) {
      const value = values[position];
      if (value !== undefined) {
        feeds[name] = value instanceof DeviceValue ? value.tensor : tensorOf(value);
      }
    }
    // What has no place is allocated by ONNX Runtime.
    const fetches: Record<string, Tensor | null> = {};
    for (const [position, name] of outputNames.entries()) {
      const place = places[position]?.onHost;
      fetches[name] = place === undefined ? null : tensorOf(place);
    }
    const results = await opened.run(feeds, fetches).catch(async (error: unknown) => {
      throw failureOf(sourceOf().graph, await Promise.all(values.map(async (value) => await elementsOf(value))), error);
    });
    return outputNames.map((name, position) => {
      const place = places[position];
      if (place === undefined || fetches[name] === null) return storedValue(functionName, results[name]);
      // The binding copies what ONNX Runtime has written there once more, which nobody needs.
      const copy = toNdArray(functionName, results[name]).data.buffer;
      if (copy !== place.onHost?.data.buffer) freeBuffer(copy);
      return place.retain();
    });
  };

  return {
    async run(inputs, places) {
      const isForSpare = target.provider === 'webgpu' && inputs.some(({ shape }) => shape.includes(0));
      return await runIn(isForSpare ? await spareSession() : session, inputs, places);
    },
    profile: (inputs, runs) =>
      withProfiling(sourceOf().labels, async (profiling) => {
        // A session of its own: one that may be profiled is slower, and cannot go on once it has told.
        const profiled = await ort.InferenceSession.create(program.model, { ...options, ...profiling });
        try {
          await repeat(runs, async () => await runIn(profiled, inputs));
          profiled.endProfiling();
        } finally {
          await profiled.release();
        }
      }),
    async dispose() {
      await session.release();
      await (await spare)?.session.release();
    },
    source,
  };
}

function sessionOptions(
  program: OnnxProgram,
  { provider, device, threads }: ComputeTarget,
  sourceOf: () => Source,
): InferenceSession.SessionOptions {
  return {
    ...providerOptions(program, provider, device, sourceOf),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Threads that sleep between two ops take a tenth of a step to wake up. They spin for as long as most pauses last, and within a run
    // alone: those of several sessions would take the cores from one another. Values must be strings.
    extra: {
      session: { intra_op: { allow_spinning: '1', spin_duration_us: '50' }, force_spinning_stop: '1' },
      optimization: { disable_specified_optimizers: program.leftOut.join(';') },
    },
    // Fatal ones only: other errors are thrown, and need not be on stderr too.
    logSeverityLevel: 4,
  };
}

/** What the provider is told. Of WebGPU: state stays on the device. */
function providerOptions(
  { outputNames, forProcessor }: OnnxProgram,
  provider: string,
  device: number,
  sourceOf: () => Source,
): Pick<InferenceSession.SessionOptions, 'executionProviders' | 'preferredOutputLocation'> {
  switch (provider) {
    case 'webgpu': {
      const { outputs, state } = sourceOf().graph;
      const isKept = (output: Variable): boolean => state?.has(output) === true && output.dtype === 'float32';
      return {
        // It refuses an empty list.
        executionProviders: [
          forProcessor.length === 0 ? 'webgpu' : { name: 'webgpu', forceCpuNodeNames: forProcessor },
        ],
        preferredOutputLocation: Object.fromEntries(
          outputs.map((output, position) => [at(outputNames, position), isKept(output) ? 'gpu-buffer' : 'cpu']),
        ),
      };
    }
    case 'cuda':
      return { executionProviders: [{ name: 'cuda', deviceId: device }] };
    default:
      return { executionProviders: [provider] };
  }
}

function storedValue(name: string, tensor: Tensor | undefined): StoredValue {
  const isOnDevice = tensor?.location === 'gpu-buffer' && isDType(tensor.type);
  return isOnDevice ? new DeviceValue(tensor.type, tensor) : new HostValue(toNdArray(name, tensor));
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
