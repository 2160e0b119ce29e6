import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { InferenceSession } from 'onnxruntime-node';

import { at } from '../../arrays/at.js';
import type { KernelCall } from '../profile.js';
import type { NodeLabels } from './lower.js';

/**
 * What ONNX Runtime tells of the sessions that `body` opens with the options it is given, runs and ends the profiling of. The first run
 * does not count: it is the one that allocates.
 */
export async function withProfiling(
  labels: NodeLabels,
  body: (options: InferenceSession.SessionOptions) => Promise<void>,
): Promise<KernelCall[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'longrun-profile-'));
  try {
    await body({ enableProfiling: true, profileFilePrefix: path.join(folder, 'profile') });
    const files = await readdir(folder);
    return kernelCalls(JSON.parse(await readFile(path.join(folder, at(files, 0)), 'utf8')), labels);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** An event of ONNX Runtime's profile, in the format of Chrome's traces; times are in us. */
interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: { readonly op_name?: string; readonly output_size?: string };
}

/** The calls that a profile tells of, but for those of the first run. */
export function kernelCalls(trace: unknown, labels: NodeLabels): KernelCall[] {
  const events = Array.isArray(trace) ? trace.filter(isEvent) : [];
  const [firstRun] = events.filter(({ name }) => name === 'model_run').toSorted((a, b) => a.ts - b.ts);
  if (firstRun === undefined) throw new Error('ONNX Runtime told of no run in its profile');
  const kernels = events
    .filter(({ cat, name, ts }) => cat === 'Node' && name.endsWith(KERNEL_TIME) && ts >= firstRun.ts + firstRun.dur)
    // One that runs a graph of its own, such as Scan, has the kernels of that inside of its time.
    .toSorted((a, b) => a.ts - b.ts || b.dur - a.dur);
  const own = new Map(kernels.map((event) => [event, event.dur]));
  const timeOf = (event: TraceEvent): number => own.get(event) ?? event.dur;
  const around: TraceEvent[] = [];
  for (const event of kernels) {
    while (around.length > 0 && endOf(at(around, -1)) <= event.ts) around.pop();
    const outer = around.at(-1);
    if (outer !== undefined) own.set(outer, timeOf(outer) - event.dur);
    around.push(event);
  }
  return kernels.map((event) => ({
    ...applicationOf(event, labels),
    kernel: event.args.op_name ?? event.name,
    on: 'engine',
    timeMs: Math.max(0, timeOf(event)) / 1000,
    outputBytes: Number(event.args.output_size ?? 0),
  }));
}

const KERNEL_TIME = '_kernel_time';

/** Nodes are called by the label of the application, a slash, and what sets them apart; those of the optimizer so too, and with more behind it, or as it likes. */
function applicationOf({ name }: TraceEvent, labels: NodeLabels): Pick<KernelCall, 'op' | 'part'> {
  const node = name.slice(0, -KERNEL_TIME.length);
  for (let end = node.lastIndexOf('/'); end > 0; end = node.lastIndexOf('/', end - 1)) {
    const labelled = labels.get(node.slice(0, end));
    if (labelled !== undefined) return labelled;
  }
  return { op: node };
}

function endOf({ ts, dur }: TraceEvent): number {
  return ts + dur;
}

function isEvent(value: unknown): value is TraceEvent {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['ts', 'dur'].every((key) => typeof Reflect.get(value, key) === 'number') &&
    ['cat', 'name'].every((key) => typeof Reflect.get(value, key) === 'string') &&
    typeof Reflect.get(value, 'args') === 'object'
  );
}
