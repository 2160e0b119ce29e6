import { describe } from '../graph/variable.js';
import type { RewriteHistory, Rewriting } from '../rewrite/history.js';
import type { ComputeTarget, ProgramSource } from './engine.js';
import type { UnfusedUpdate } from './fusion/fusible.js';
import type { Kernel } from './fusion/kernel.js';
import type { HeldMemory } from './held-memory.js';
import type { HostOp } from './partition.js';

/** Updates that one kernel computes, in one pass over their elements, after all that the engine runs. */
export interface FusedUpdates {
  /** What it computes, each with its type. */
  readonly outputs: readonly string[];
  /** How many ops it does, on each element. */
  readonly ops: number;
}

/** An update that the engine computes, though it leaves others to kernels. */
export interface EngineUpdate {
  /** What is computed, with its type. */
  readonly output: string;
  /** Why no kernel does: a sentence without its full stop. */
  readonly reason: string;
}

/** What is known of a function before it is compiled. */
export type ExplainedParts = HeldMemory &
  Pick<Explanation, 'engineOps' | 'engineCalls' | 'hostOps'> & {
    readonly kernels: readonly Kernel[];
    readonly unfused: readonly UnfusedUpdate[];
    readonly rewriting: RewriteHistory;
  };

/** Where a compiled function runs, and why: `function.explain()`. Prints itself. */
export class Explanation implements ComputeTarget, HeldMemory {
  readonly engine: string;
  readonly provider: string;
  readonly device: number;
  readonly threads: number;
  /** How many ops the engine runs. */
  readonly engineOps: number;
  /** How often the engine is called in a run: more than once where it needs what the host computes from its results. */
  readonly engineCalls: number;
  /** What the host runs in place of the engine, each with the reason. */
  readonly hostOps: readonly HostOp[];
  /** What kernels of WebAssembly run in place of the engine: the elementwise ends of updates. What the engine needs of them it computes, too. */
  readonly fused: readonly FusedUpdates[];
  /** Where the engine allows of kernels: what they do not compute. */
  readonly unfused: readonly EngineUpdate[];
  /** Where what each call runs is from: compiled here, or kept from before; of engines whose programs are kept. */
  readonly sources: readonly ProgramSource[];
  /** What rewrites did to the graph before it was compiled, and what they left as it was, in order. */
  readonly rewritings: readonly Rewriting[];
  readonly constantBytes: number;
  readonly stateBytes: number;
  readonly #history: RewriteHistory;

  constructor(target: ComputeTarget, parts: ExplainedParts, sources: readonly ProgramSource[]) {
    this.engine = target.engine;
    this.provider = target.provider;
    this.device = target.device;
    this.threads = target.threads;
    this.engineOps = parts.engineOps;
    this.engineCalls = parts.engineCalls;
    this.hostOps = parts.hostOps;
    this.fused = parts.kernels.map(({ outputs, nodes }) => ({ outputs: outputs.map(describe), ops: nodes.length }));
    this.unfused = parts.unfused.map(({ output, reason }) => ({ output: describe(output), reason }));
    this.sources = sources;
    this.#history = parts.rewriting;
    this.rewritings = parts.rewriting.entries;
    this.constantBytes = parts.constantBytes;
    this.stateBytes = parts.stateBytes;
  }

  toString(): string {
    const { engine, provider, device, threads, engineOps, engineCalls, hostOps, fused, unfused } = this;
    const { sources, constantBytes, stateBytes } = this;
    const fusedOps = fused.reduce((sum, { ops }) => sum + ops, 0);
    return [
      `${engine} on ${provider} ${device}, ${threads} threads: ${engineOps} ops in ${engineCalls} calls, ${hostOps.length} ops on the host` +
        (fused.length === 0 ? '' : `, ${fusedOps} fused to ${fused.length} kernels`),
      ...hostOps.map(({ op, output, reason }) => `  ${op} -> ${output}: ${reason}`),
      ...fused.map(({ outputs, ops }) => `  ${ops} ops fused -> ${outputs.join(', ')}`),
      ...unfused.map(({ output, reason }) => `  not fused -> ${output}: ${reason}`),
      ...sources.map(({ from, reason }) =>
        from === 'cache' ? '  compiled before, and kept since' : `  compiled here: ${reason}`,
      ),
      ...this.#history.lines().map((line) => `  ${line}`),
      `  holds ${stateBytes} bytes of shared variables and ${constantBytes} of constants`,
    ].join('\n');
  }
}
