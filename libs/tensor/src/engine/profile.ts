import { at } from '../arrays/at.js';
import type { OpObserver } from '../graph/op.js';
import type { StoredValue } from './stored-value.js';

/** What runs an op: the engine, the host in its place, or a kernel that several ops are fused to. */
export type RunsOn = 'engine' | 'host' | 'fused';

/** One call of a kernel, as an engine saw it. */
export interface KernelCall {
  /** The application, as it prints: `dot(x,W)`. */
  readonly op: string;
  /** The part of the model that it is of (see `madeFor`); undefined where it is of none, or the engine made it of several. */
  readonly part?: string | undefined;
  /** What ran it: the engine's own name for it, or the op's. */
  readonly kernel: string;
  readonly on: RunsOn;
  /** Without what is called inside of it. */
  readonly timeMs: number;
  /** What its results take. */
  readonly outputBytes: number;
}

/** The calls of `runs` runs of an engine that runs op by op, after a first one that does not count. */
export async function callsOf(
  runs: number,
  on: KernelCall['on'],
  run: (observe?: OpObserver) => Promise<readonly StoredValue[]>,
): Promise<KernelCall[]> {
  const calls: KernelCall[] = [];
  const record: OpObserver = (node, timeMs, outputBytes) => {
    const part = node.origin.part?.();
    calls.push({ op: node.toString(), part, kernel: node.op.name, on, timeMs, outputBytes });
  };
  await repeat(runs, async (counts) => await run(counts ? record : undefined));
  return calls;
}

/** Runs what is profiled `runs` times, after a first time that does not count: it is the one that allocates. */
export async function repeat(runs: number, run: (counts: boolean) => Promise<readonly StoredValue[]>): Promise<void> {
  for (let count = 0; count <= runs; count += 1) {
    for (const result of await run(count > 0)) result.release();
  }
}

/** What one op took. Applications of one part that print alike are one. */
export interface OpProfile {
  /**
   * As it prints: `dot(x,W)`. An engine that makes one op of several tells of it under the name of one of them, or its own; of those that
   * are fused here it has the last ones.
   */
  readonly op: string;
  /** The part of the model that it is of; undefined where it is of none, or of several. */
  readonly part: string | undefined;
  /** What ran it: names of the engine's kernels. */
  readonly kernels: readonly string[];
  readonly on: RunsOn;
  /** Calls of its kernels in one run. ONNX Runtime tells of those inside of a `scan` too, each step a call. */
  readonly calls: number;
  /** In one run, on average. */
  readonly timeMs: number;
  /** The most that the results of one of the calls take. */
  readonly outputBytes: number;
}

/** What the ops of a compiled function took: `function.profile()`. Prints itself. */
export class Profile {
  /** How many runs it is the average of. */
  readonly runs: number;
  /** All ops of one run together. */
  readonly timeMs: number;
  /** The slowest first. */
  readonly ops: readonly OpProfile[];

  constructor(runs: number, calls: readonly KernelCall[]) {
    this.runs = runs;
    this.ops = [...groups(calls).values()]
      .map((group) => profileOf(group, runs))
      .toSorted((a, b) => b.timeMs - a.timeMs);
    this.timeMs = this.ops.reduce((total, { timeMs }) => total + timeMs, 0);
  }

  toString(): string {
    return [
      `${this.timeMs.toFixed(3)} ms in ${this.ops.length} ops, on average of ${this.runs} runs`,
      ...this.ops.map(({ op, part, kernels, on, calls, timeMs, outputBytes }) =>
        [
          `  ${timeMs.toFixed(3)} ms`,
          `${((100 * timeMs) / this.timeMs || 0).toFixed(1)} %`,
          `${calls} calls`,
          `${outputBytes} bytes`,
          `${op}${part === undefined ? '' : ` of ${part}`} by ${kernels.join(', ')}${WHERE[on]}`,
        ].join('  '),
      ),
    ].join('\n');
  }
}

const WHERE: Readonly<Record<RunsOn, string>> = { engine: '', host: ' on the host', fused: ', fused' };

function groups(calls: readonly KernelCall[]): ReadonlyMap<string, readonly KernelCall[]> {
  const found = new Map<string, KernelCall[]>();
  for (const call of calls) {
    const key = JSON.stringify([call.on, call.op, call.part]);
    const group = found.get(key);
    if (group === undefined) found.set(key, [call]);
    else group.push(call);
  }
  return found;
}

function profileOf(group: readonly KernelCall[], runs: number): OpProfile {
  const { op, part, on } = at(group, 0);
  return {
    op,
    part,
    kernels: [...new Set(group.map(({ kernel }) => kernel))],
    on,
    calls: group.length / runs,
    timeMs: group.reduce((total, { timeMs }) => total + timeMs, 0) / runs,
    outputBytes: group.reduce((most, { outputBytes }) => Math.max(most, outputBytes), 0),
  };
}
