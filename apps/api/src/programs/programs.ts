import { type ExperimentProgram, loadPrograms } from '@longrun/blocks';
import { JsonObject, readValue } from '@longrun/contracts';
import type { ParamsVerdict, ProgramCatalog } from '@longrun/platform';
import { z } from 'zod';
import type { ProgramView } from './program-view.js';

/** The experiment programs of one folder, as the platform asks for them and clients see them. */
export class Programs implements ProgramCatalog {
  readonly #programs: ReadonlyMap<string, ExperimentProgram>;
  /** Sorted by name. They do not change while the process lives. */
  readonly views: readonly ProgramView[];

  constructor(programs: ReadonlyMap<string, ExperimentProgram>) {
    this.#programs = programs;
    this.views = [...programs.values()]
      .map((program) => ({
        name: program.name,
        description: program.description,
        params: JsonObject.parse(z.toJSONSchema(program.params, { io: 'input', unrepresentable: 'any' })),
      }))
      .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Imports every program module of a folder. Throws a sentence when there is none or one of them is broken. */
  static async load(folder: string): Promise<Programs> {
    return new Programs(await loadPrograms(folder));
  }

  has(name: string): boolean {
    return this.#programs.has(name);
  }

  names(): readonly string[] {
    return this.views.map((view) => view.name);
  }

  validate(name: string, params: JsonObject): ParamsVerdict {
    const schema = this.#programs.get(name)?.params;
    if (schema === undefined) throw new Error(`There is no program ${JSON.stringify(name)}; ask has() first`);
    const read = readValue(schema, params);
    return read.ok ? { ok: true, value: JsonObject.parse(read.value) } : read;
  }
}
