import type { JsonObject } from '@longrun/contracts';

/** What a program says to parameters. */
export type ParamsVerdict =
  | { readonly ok: true; /** With the program's defaults filled in. */ readonly params: JsonObject }
  | {
      readonly ok: false;
      readonly errors: readonly {
        /** Into the parameters: `['dims', 0]`. */ readonly path: readonly PropertyKey[];
        readonly message: string;
        /** What to do about it, a sentence. */
        readonly remedy?: string;
      }[];
    };

/** The programs that experiments may name. The host of the platform knows them; the platform only asks. */
export interface ProgramCatalog {
  has(name: string): boolean;
  names(): readonly string[];
  /** Checks the parameters by the program's own schema. Called only with a name that `has` knows. */
  validate(name: string, params: JsonObject): ParamsVerdict;
}
