import type { JsonObject, Reading } from '@longrun/contracts';

/** What a program says to parameters: with its defaults filled in, or what is wrong, with paths into the parameters. */
export type ParamsVerdict = Reading<JsonObject>;

/** A program cannot say what it is asked: it threw, took too long, or is none. The message says it in a clause. */
export class ProgramBroken extends Error {
  override readonly name = 'ProgramBroken';
}

/** The module of a program, to be run by who hosts the platform. */
export interface ProgramModule {
  /** For people. */
  readonly name: string;
  readonly sha256: string;
  /** Its bytes, whose SHA-256 has been compared. @throws RequestRefused where they are gone or damaged, ObjectsUnreachable */
  read(): Promise<Uint8Array>;
}

/** What a program says of itself. */
export interface ProgramFacts {
  /** One sentence; empty when there is none. */
  readonly description: string;
  /** JSON schema (draft 2020-12) of its parameters. */
  readonly params: JsonObject;
}

/** Runs what users have uploaded, where it can do no harm. The platform itself imports none of it. */
export interface ProgramHost {
  /** What a program says of itself. @throws ProgramBroken */
  inspect(program: ProgramModule): ProgramFacts | Promise<ProgramFacts>;
  /** Checks parameters by the program's own schema. @throws ProgramBroken */
  validate(program: ProgramModule, params: JsonObject): ParamsVerdict | Promise<ParamsVerdict>;
}
