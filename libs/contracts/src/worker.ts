import { z } from 'zod';

import { Fence, Kind, Moment } from './ids.js';
import { Label } from './label.js';

/** What a worker may take: `ready` takes jobs; `draining` finishes what it runs; `quarantined` is kept from jobs until it is released. */
export const WorkerStatus = z.enum(['ready', 'draining', 'quarantined']);
export type WorkerStatus = z.infer<typeof WorkerStatus>;

/** A device that a worker computes on. */
export const WorkerDevice = z.object({
  /** `cpu`, `cuda`, `webgpu`. */
  type: z.string(),
  name: z.string(),
  /** Memory of its own, in bytes; null where it shares that of the host. */
  memoryBytes: z.int().min(0).nullable(),
});
export type WorkerDevice = z.infer<typeof WorkerDevice>;

/** What a worker says of itself with every heartbeat. */
export const WorkerReport = z.object({
  workerId: z.string(),
  kind: Kind,
  host: z.string(),
  /** Of Longrun. */
  version: z.string(),
  /** For people and for what experiments may ask of a worker. */
  labels: z.record(z.string(), z.string()),
  /** Attempts that it can run at once. */
  slots: z.int().min(1),
  /** Threads that an attempt may use at most. */
  threads: z.int().min(1),
  memoryBytes: z.int().min(0),
  devices: z.array(WorkerDevice),
  /** Providers that it can compute with, by engine: `{ onnxruntime: ['cpu', 'cuda'] }`. Workers of older builds do not say it. */
  engines: z.record(z.string(), z.array(z.string())).optional(),
  status: WorkerStatus,
  /** Why it is quarantined: what its own check says. */
  statusReason: z.string().optional(),
  /** How many times this process was put into quarantine: which of them a release ends. Workers of older builds do not say it. */
  quarantines: z.int().min(0).optional(),
  /** What it runs now. */
  attempts: z.array(z.object({ id: z.string(), fence: Fence })),
  /** Grows with each report of one process: a number that stands still is no sign of life. */
  beat: z.int().min(1),
  /** Under this name the process holds a connection to Redis as long as it lives; another one for each process. */
  connection: z.string().min(1).max(100).optional(),
});
export type WorkerReport = z.infer<typeof WorkerReport>;

/** A worker as the API answers it. */
export const WorkerView = WorkerReport.omit({ workerId: true, beat: true, connection: true, quarantines: true }).extend(
  {
    id: z.string(),
    /** As the record wants it; the worker follows. */
    status: WorkerStatus,
    /** Why it is not `ready`; null when it is. */
    statusReason: z.string().nullable(),
    /** False when nothing was heard of it for long, or it said goodbye. */
    alive: z.boolean(),
    firstSeenAt: Moment,
    lastSeenAt: Moment,
  },
);
export type WorkerView = z.infer<typeof WorkerView>;

/** Why a worker is drained. */
export const DrainRequest = z.strictObject({
  /** For people: shown beside the status. Default: that it was asked for. */
  reason: Label.min(1).max(500).optional(),
});
export type DrainRequest = z.infer<typeof DrainRequest>;

/** All workers that are alive or were seen in the last day, the newest first. */
export const WorkerList = z.object({ items: z.array(WorkerView) });
export type WorkerList = z.infer<typeof WorkerList>;
