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

/** What is known of a function once it is planned. */
export type ExplainedParts = Pick<Explanation, 'engineOps' | 'engineCalls' | 'hostOps' | 'constantBytes'> & {
  readonly kernels: readonly Kernel[];
  readonly unfused: readonly UnfusedUpdate[];
  readonly rewriting: RewriteHistory;
};

/** Where a function and its parts are from, and what it holds. */
export type ExplainedOrigin = Pick<Explanation, 'plan' | 'sources' | 'stateBytes'>;

/** Where a compiled function runs, and why: `function.explain()`. Prints itself. */
export class Explanation implements ComputeTarget, HeldMemory {
  readonly engine: string;
  readonly provider: string;
  readonly device: number;
  readonly threads: number;
  /** Where it is from what the graph was rewritten, fused and lowered to: made here, or kept from before. */
  readonly plan: ProgramSource;
  /** Where what each call runs is from: compiled here, or kept from before; of engines whose programs are kept. */
  readonly sources: readonly ProgramSource[];
  readonly stateBytes: number;
  readonly #partsOf: () => ExplainedParts;

  /** @param partsOf plans the function, where that was not done to compile it */
  constructor(target: ComputeTarget, partsOf: () => ExplainedParts, { plan, sources, stateBytes }: ExplainedOrigin) {
    this.engine = target.engine;
    this.provider = target.provider;
    this.device = target.device;
    this.threads = target.threads;
    this.plan = plan;
    this.sources = sources;
    this.stateBytes = stateBytes;
    this.#partsOf = partsOf;
  }

  /** How many ops the engine runs. */
  get engineOps(): number {
    return this.#partsOf().engineOps;
  }

  /** How often the engine is called in a run: more than once where it needs what the host computes from its results. */
  get engineCalls(): number {
    return this.#partsOf().engineCalls;
  }

  /** What the host runs in place of the engine, each with the reason. */
  get hostOps(): readonly HostOp[] {
    return this.#partsOf().hostOps;
  }

  /** What kernels of WebAssembly run in place of the engine: the elementwise ends of updates. What the engine needs of them it computes, too. */
  get fused(): readonly FusedUpdates[] {
    return this.#partsOf().kernels.map(({ outputs, nodes }) => ({
      outputs: outputs.map(describe),
      ops: nodes.length,
    }));
  }

  /** Where the engine allows of kernels: what they do not compute. */
  get unfused(): readonly EngineUpdate[] {
    return this.#partsOf().unfused.map(({ output, reason }) => ({ output: describe(output), reason }));
  }

  /** What rewrites did to the graph before it was compiled, and what they left as it was, in order. */
  get rewritings(): readonly Rewriting[] {
    return this.#partsOf().rewriting.entries;
  }

  get constantBytes(): number {
    return this.#partsOf().constantBytes;
  }

  toString(): string {
    const { engine, provider, device, threads, engineOps, engineCalls, hostOps, fused, unfused } = this;
    const { plan, sources, constantBytes, stateBytes } = this;
    const fusedOps = fused.reduce((sum, { ops }) => sum + ops, 0);
    return [
      `${engine} on ${provider} ${device}, ${threads} threads: ${engineOps} ops in ${engineCalls} calls, ${hostOps.length} ops on the host` +
        (fused.length === 0 ? '' : `, ${fusedOps} fused to ${fused.length} kernels`),
      ...hostOps.map(({ op, output, reason }) => `  ${op} -> ${output}: ${reason}`),
      ...fused.map(({ outputs, ops }) => `  ${ops} ops fused -> ${outputs.join(', ')}`),
      ...unfused.map(({ output, reason }) => `  not fused -> ${output}: ${reason}`),
      plan.from === 'cache' ? '  planned before, and kept since' : `  planned here: ${plan.reason}`,
      ...sources.map(({ from, reason }) =>
        from === 'cache' ? '  compiled before, and kept since' : `  compiled here: ${reason}`,
      ),
      ...this.#partsOf()
        .rewriting.lines()
        .map((line) => `  ${line}`),
      `  holds ${stateBytes} bytes of shared variables and ${constantBytes} of constants`,
    ].join('\n');
  }
}
