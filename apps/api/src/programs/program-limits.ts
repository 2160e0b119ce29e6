/** What the programs may take of the API's machine while they are asked something. */
export interface ProgramLimits {
  /** Processor time to be imported, in milliseconds: on a busy machine a sound program only takes longer. */
  readonly loadCpuMs: number;
  /** Processor time to check parameters, in milliseconds. */
  readonly checkCpuMs: number;
  /** Time for either of one that waits for something, and does not work, in milliseconds. */
  readonly waitMs: number;
  /** Memory of a program's process and all that it starts, in bytes. */
  readonly memoryBytes: number;
  /** What a process may say at once, in bytes of JSON: parameters with their defaults, or the schema of a program. */
  readonly answerBytes: number;
  /** Time after which a process that is asked nothing is ended, in milliseconds. */
  readonly idleMs: number;
  /** Processes that live at once. */
  readonly processes: number;
  /** Questions to one program that wait for their turn. */
  readonly questions: number;
  /** Time for which a program that could not be imported is not tried again, in milliseconds. */
  readonly brokenMs: number;
}

export const PROGRAM_LIMITS: ProgramLimits = {
  loadCpuMs: 30_000,
  checkCpuMs: 5_000,
  waitMs: 300_000,
  memoryBytes: 2 ** 30,
  answerBytes: 4 * 2 ** 20,
  idleMs: 60_000,
  processes: 4,
  questions: 256,
  brokenMs: 300_000,
};
