import { programFiles } from '@longrun/blocks/programs';
import type { JsonObject } from '@longrun/contracts';
import { type ParamsVerdict, ProgramBroken, type ProgramCatalog } from '@longrun/platform';
import { ProcessPlaces } from './process-places.js';
import { PROGRAM_LIMITS, type ProgramLimits } from './program-limits.js';
import { ProgramProcess, type ProgramProcessOptions } from './program-process.js';
import type { ProgramView } from './program-view.js';

/** How the processes of programs are run. */
export interface ProgramsOptions extends Pick<ProgramProcessOptions, 'launch'> {
  /** Default: {@link PROGRAM_LIMITS}. */
  readonly limits?: ProgramLimits;
}

/** The experiment programs of one folder, as the platform asks for them and clients see them. None is imported here. */
export class Programs implements ProgramCatalog {
  /** Sorted by name. They do not change while the process lives. */
  readonly #programs: ReadonlyMap<string, ProgramProcess>;
  readonly #views = new Map<string, ProgramView>();

  private constructor(programs: ReadonlyMap<string, ProgramProcess>) {
    this.#programs = programs;
  }

  /** Finds the programs of a folder. Throws a sentence when it cannot be read. */
  static async find(folder: string, { limits = PROGRAM_LIMITS, launch }: ProgramsOptions = {}): Promise<Programs> {
    const places = new ProcessPlaces(limits.processes);
    const files = [...(await programFiles(folder))].toSorted(([left], [right]) => (left < right ? -1 : 1));
    return new Programs(
      new Map(files.map(([name, file]) => [name, new ProgramProcess({ name, file, limits, places, launch })])),
    );
  }

  has(name: string): boolean {
    return this.#programs.has(name);
  }

  names(): readonly string[] {
    return [...this.#programs.keys()];
  }

  async validate(name: string, params: JsonObject): Promise<ParamsVerdict> {
    return await this.#process(name).check(params);
  }

  /** {@link view} of every program, by name. */
  async list(): Promise<ProgramView[]> {
    const listed: ProgramView[] = [];
    // One after the other: each takes as much as a process takes that imports the whole of Blocks.
    for (const name of this.names()) listed.push(await this.view(name));
    return listed;
  }

  /** What a program takes, or why that cannot be said. One that has said it is not asked again. */
  async view(name: string): Promise<ProgramView> {
    try {
      const view = this.#views.get(name) ?? (await this.#process(name).view());
      this.#views.set(name, view);
      return view;
    } catch (error) {
      if (!(error instanceof ProgramBroken)) throw error;
      return { name, description: '', params: {}, broken: error.message };
    }
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    await Promise.all([...this.#programs.values()].map(async (program) => await program.close()));
  }

  #process(name: string): ProgramProcess {
    const program = this.#programs.get(name);
    if (program === undefined) throw new Error(`There is no program ${JSON.stringify(name)}; ask has() first`);
    return program;
  }
}
