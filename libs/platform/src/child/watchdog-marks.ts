/** What a `ParentLink` gives to the watchdog of its process. */
export interface WatchdogData {
  /** Process id of the worker. */
  readonly parent: number;
  readonly signsFd: number;
  readonly beatEveryMs: number;
  readonly question: string;
  /** Written by the main thread, in the order of {@link MARKS}. */
  readonly marks: Float64Array;
}

/** What stands where in {@link WatchdogData.marks}. */
export const MARKS = { moves: 0, steps: 1, place: 2 } as const;
