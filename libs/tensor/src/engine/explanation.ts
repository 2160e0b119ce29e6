import type { ComputeTarget } from './engine.js';
import type { HeldMemory } from './held-memory.js';
import type { HostOp } from './partition.js';

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
  readonly constantBytes: number;
  readonly stateBytes: number;

  constructor(target: ComputeTarget, parts: HeldMemory & Pick<Explanation, 'engineOps' | 'engineCalls' | 'hostOps'>) {
    this.engine = target.engine;
    this.provider = target.provider;
    this.device = target.device;
    this.threads = target.threads;
    this.engineOps = parts.engineOps;
    this.engineCalls = parts.engineCalls;
    this.hostOps = parts.hostOps;
    this.constantBytes = parts.constantBytes;
    this.stateBytes = parts.stateBytes;
  }

  toString(): string {
    const { engine, provider, device, threads, engineOps, engineCalls, hostOps, constantBytes, stateBytes } = this;
    return [
      `${engine} on ${provider} ${device}, ${threads} threads: ${engineOps} ops in ${engineCalls} calls, ${hostOps.length} ops on the host`,
      ...hostOps.map(({ op, output, reason }) => `  ${op} -> ${output}: ${reason}`),
      `  holds ${stateBytes} bytes of shared variables and ${constantBytes} of constants`,
    ].join('\n');
  }
}
