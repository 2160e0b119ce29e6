import { z } from 'zod';

/** The process answers. Nothing else is looked at: a restart would not mend Redis. */
export const Liveness = z.object({ status: z.literal('alive') });
export type Liveness = z.infer<typeof Liveness>;

/** The things the API cannot serve without. */
export const Dependency = z.enum(['record', 'redis', 'objects']);
export type Dependency = z.infer<typeof Dependency>;

/** Everything the API needs answers. */
export const Readiness = z.object({
  status: z.literal('ready'),
  checks: z.array(z.object({ name: Dependency, latencyMs: z.number().min(0) })),
});
export type Readiness = z.infer<typeof Readiness>;
