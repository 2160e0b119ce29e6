import { ServicePart } from '@longrun/contracts';
import { z } from 'zod';

/** The process answers. Nothing else is looked at: a restart would not mend Redis. */
export const Liveness = z.object({ status: z.literal('alive') });
export type Liveness = z.infer<typeof Liveness>;

/** Everything that the API needs answers. */
export const Readiness = z.object({
  status: z.literal('ready'),
  checks: z.array(z.object({ name: ServicePart, ok: z.literal(true) })),
});
export type Readiness = z.infer<typeof Readiness>;
