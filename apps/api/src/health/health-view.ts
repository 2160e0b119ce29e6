import { z } from 'zod';

/** The process answers. Nothing else is looked at: a restart would not mend Redis. */
export const Liveness = z.object({ status: z.literal('alive') });
export type Liveness = z.infer<typeof Liveness>;

/** What the API cannot serve without: the record, Redis, the object store, and the flow of workers' events into the record. */
export const Dependency = z.enum(['record', 'redis', 'objects', 'events']);
export type Dependency = z.infer<typeof Dependency>;

/** Everything that the API needs answers. */
export const Readiness = z.object({
  status: z.literal('ready'),
  checks: z.array(z.object({ name: Dependency, ok: z.literal(true) })),
});
export type Readiness = z.infer<typeof Readiness>;
