import type { JsonObject } from '@longrun/contracts';
import type { ParamsVerdict, ProgramFacts, ProgramHost, ProgramModule } from '@longrun/platform';
import { ProcessPlaces } from './process-places.js';
import { PROGRAM_LIMITS, type ProgramLimits } from './program-limits.js';
import { ProgramProcess, type ProgramProcessOptions } from './program-process.js';

/** How the processes of programs are run. */
export interface ProgramProcessesOptions extends Pick<ProgramProcessOptions, 'rooms'> {
  /** Default: {@link PROGRAM_LIMITS}. */
  readonly limits?: ProgramLimits;
}

/** Runs each program in a process of its own, while it is asked something. None is imported here. */
export class ProgramProcesses implements ProgramHost {
  readonly #options: ProgramProcessOptions;
  /** By the SHA-256 of the module. */
  readonly #programs = new Map<string, ProgramProcess>();

  constructor({ limits = PROGRAM_LIMITS, rooms }: ProgramProcessesOptions) {
    this.#options = { limits, rooms, places: new ProcessPlaces(limits.processes) };
  }

  async inspect(program: ProgramModule): Promise<ProgramFacts> {
    return await this.#process(program).inspect(program);
  }

  async validate(program: ProgramModule, params: JsonObject): Promise<ParamsVerdict> {
    return await this.#process(program).check(program, params);
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    await Promise.all([...this.#programs.values()].map(async (program) => await program.close()));
  }

  #process({ sha256 }: ProgramModule): ProgramProcess {
    const known = this.#programs.get(sha256);
    if (known !== undefined) return known;
    for (const [other, program] of this.#programs)
      if (this.#programs.size >= MOST_KNOWN && program.isAtRest) this.#programs.delete(other);
    const fresh = new ProgramProcess(this.#options);
    this.#programs.set(sha256, fresh);
    return fresh;
  }
}

/** Of more, those that are asked nothing and have no process are forgotten. */
const MOST_KNOWN = 256;
