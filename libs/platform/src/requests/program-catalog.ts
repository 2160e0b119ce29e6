import type { JsonObject, Reading } from '@longrun/contracts';

/** What a program says to parameters: with its defaults filled in, or what is wrong, with paths into the parameters. */
export type ParamsVerdict = Reading<JsonObject>;

/** A program cannot check its parameters: it threw, took too long, or is none. The message says it in a clause. */
export class ProgramBroken extends Error {
  override readonly name = 'ProgramBroken';
}

/** The programs that experiments may name. The host of the platform knows them; the platform only asks. */
export interface ProgramCatalog {
  has(name: string): boolean;
  names(): readonly string[];
  /**
   * Checks the parameters by the program's own schema. Called only with a name that `has` knows.
   *
   * @throws ProgramBroken
   */
  validate(name: string, params: JsonObject): ParamsVerdict | Promise<ParamsVerdict>;
}
