import type { JsonObject, Reading } from '@longrun/contracts';

/** What a program says to parameters: with its defaults filled in, or what is wrong, with paths into the parameters. */
export type ParamsVerdict = Reading<JsonObject>;

/** The programs that experiments may name. The host of the platform knows them; the platform only asks. */
export interface ProgramCatalog {
  has(name: string): boolean;
  names(): readonly string[];
  /** Checks the parameters by the program's own schema. Called only with a name that `has` knows. */
  validate(name: string, params: JsonObject): ParamsVerdict;
}
