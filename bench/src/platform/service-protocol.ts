import { z } from 'zod';

/** Where a measured service finds its record, its Redis and its objects. */
export const ServiceOptions = z.object({
  record: z.union([z.object({ folder: z.string() }), z.object({ databaseUrl: z.string() })]),
  redisUrl: z.string(),
  objectStoreUrl: z.string(),
});
export type ServiceOptions = z.infer<typeof ServiceOptions>;

/** What a measured service is told to do. Each is answered with one message. */
export const ServiceCommand = z.discriminatedUnion('do', [
  /** Submits the dataset that all experiments name, and waits until it has its first fence. */
  z.object({ do: z.literal('dataset') }),
  /** Submits `count` experiments, and answers their ids. */
  z.object({ do: z.literal('submit'), count: z.int() }),
  /** Waits until each of these experiments has its first fence. */
  z.object({ do: z.literal('enqueued'), ids: z.array(z.string()) }),
  /** Takes events in; after the first `skip`, measures `windows` times how long `size` events take. */
  z.object({ do: z.literal('ingest'), skip: z.int(), size: z.int(), windows: z.int() }),
  /** Answers one query after the other for experiments, and tells how long each took, in milliseconds. */
  z.object({ do: z.literal('list'), queries: z.array(z.record(z.string(), z.string())) }),
  /** Answers points of one metric of several experiments as JSON, again and again, and tells how long each took, in milliseconds. */
  z.object({ do: z.literal('series'), ids: z.array(z.string()), name: z.string(), maxPoints: z.int(), times: z.int() }),
  z.object({ do: z.literal('close') }),
]);
export type ServiceCommand = z.infer<typeof ServiceCommand>;

/** How long something took: CPU of this process alone (user and system), and by the wall clock. */
export const Took = z.object({ count: z.number(), cpuSeconds: z.number(), wallSeconds: z.number() });
export type Took = z.infer<typeof Took>;
