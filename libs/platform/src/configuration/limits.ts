/** What a whole number that is told from outside may be. */
export interface Limits {
  readonly least: number;
  readonly most: number;
  readonly byDefault: number;
}

/** Pause between two signs of life of a worker, in milliseconds. */
export const heartbeatMs = { least: 20, most: 600_000, byDefault: 1_000 } as const satisfies Limits;

/** An attempt of which nothing was heard for so many milliseconds is written off. */
export const workerLostAfterMs = { least: 50, most: 86_400_000, byDefault: 5_000 } as const satisfies Limits;

/** Milliseconds that a running job gets to end in good order after SIGTERM. */
export const graceMs = { least: 0, most: 3_600_000, byDefault: 25_000 } as const satisfies Limits;

/** Pause of a quarantined worker before it checks itself again, in milliseconds; doubled each time, up to 30 times as long. */
export const checkAgainAfterMs = { least: 10, most: 3_600_000, byDefault: 10_000 } as const satisfies Limits;

/** True when one late heartbeat writes no living worker off. */
export function sparesLateHeartbeat(timings: {
  readonly heartbeatMs: number;
  readonly workerLostAfterMs: number;
}): boolean {
  return timings.workerLostAfterMs > 2 * timings.heartbeatMs;
}
