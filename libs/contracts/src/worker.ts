import { z } from 'zod';

import { Fence, Kind, Moment } from './ids.js';
import { Label } from './label.js';

export const WorkerStatus = z.enum(['ready', 'draining', 'quarantined']).meta({
  description:
    'What a worker may take: `ready` takes jobs; `draining` finishes what it runs; `quarantined` is kept from jobs ' +
    'until it is released.',
});
export type WorkerStatus = z.infer<typeof WorkerStatus>;

export const WorkerDevice = z
  .object({
    type: z.string().meta({ description: 'What kind of device it is: `cpu`, `cuda`, `webgpu`.' }),
    name: z.string().meta({ description: 'Its name, as its maker gives it.' }),
    memoryBytes: z
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'Memory of its own, in bytes; null where it shares that of the host.' }),
  })
  .meta({ description: 'A device that a worker computes on.' });
export type WorkerDevice = z.infer<typeof WorkerDevice>;

/** What a worker says of itself with every heartbeat. */
export const WorkerReport = z.object({
  workerId: z.string().meta({ description: 'Id of the worker.' }),
  kind: Kind.meta({ description: 'What it takes: experiments, which it trains, or datasets, which it converts.' }),
  host: z.string().meta({ description: 'Name of its machine.' }),
  version: z.string().meta({ description: 'Version of Longrun that it runs.' }),
  labels: z
    .record(z.string(), z.string())
    .meta({ description: 'Labels by name: for people and for what experiments may ask of a worker.' }),
  slots: z.int().min(1).meta({ description: 'Attempts that it can run at once.' }),
  threads: z.int().min(1).meta({ description: 'Threads that an attempt may use at most.' }),
  memoryBytes: z
    .int()
    .min(0)
    .meta({ description: 'Memory that it may use, in bytes: that of its machine, or less where it is limited.' }),
  devices: z.array(WorkerDevice).meta({ description: 'What it computes on.' }),
  engines: z
    .record(z.string(), z.array(z.string()))
    .optional()
    .meta({
      description:
        "Providers that it can compute with, by engine: `{ onnxruntime: ['cpu', 'cuda'] }`. Workers of older builds do " +
        'not say it.',
    }),
  status: WorkerStatus.meta({ description: 'What it may take, as it sees it.' }),
  statusReason: z.string().optional().meta({ description: 'Why it is quarantined: what its own check says.' }),
  quarantines: z
    .int()
    .min(0)
    .optional()
    .meta({
      description:
        'How many times this process was put into quarantine: which of them a release ends. Workers of older builds do ' +
        'not say it.',
    }),
  attempts: z
    .array(z.object({ id: z.string().meta({ description: 'Id of the experiment or dataset.' }), fence: Fence }))
    .meta({ description: 'What it runs now.' }),
  beat: z
    .int()
    .min(1)
    .meta({ description: 'Grows with each report of one process: a number that stands still is no sign of life.' }),
  connection: z.string().min(1).max(100).optional().meta({
    description:
      'Under this name the process holds a connection to Redis as long as it lives; another one for each process.',
  }),
});
export type WorkerReport = z.infer<typeof WorkerReport>;

export const WorkerView = WorkerReport.omit({ workerId: true, beat: true, connection: true, quarantines: true })
  .extend({
    id: z.string().meta({ description: 'Its id.' }),
    status: WorkerStatus.meta({ description: 'What it may take, as the record wants it; the worker follows.' }),
    statusReason: z.string().nullable().meta({ description: 'Why it is not `ready`; null when it is.' }),
    alive: z.boolean().meta({ description: 'False when nothing was heard of it for long, or it said goodbye.' }),
    firstSeenAt: Moment.meta({ description: 'When it was first heard of.' }),
    lastSeenAt: Moment.meta({ description: 'When it was last heard of.' }),
  })
  .meta({ description: 'A worker as the API answers it.' });
export type WorkerView = z.infer<typeof WorkerView>;

export const DrainRequest = z
  .strictObject({
    reason: Label.min(1)
      .max(500)
      .optional()
      .meta({ description: 'Why, for people: shown beside the status. Default: that it was asked for.' }),
  })
  .meta({ description: 'Why a worker is drained.' });
export type DrainRequest = z.infer<typeof DrainRequest>;

export const WorkerList = z
  .object({ items: z.array(WorkerView).meta({ description: 'The workers.' }) })
  .meta({ description: 'All workers that are alive or were seen in the last day, the last one seen first.' });
export type WorkerList = z.infer<typeof WorkerList>;
