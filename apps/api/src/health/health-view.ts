import { ServicePart } from '@longrun/contracts';
import { z } from 'zod';

export const Liveness = z
  .object({ status: z.literal('alive').meta({ description: 'It is alive.' }) })
  .meta({ description: 'The process answers. Nothing else is looked at: a restart would not mend Redis.' });
export type Liveness = z.infer<typeof Liveness>;

export const Readiness = z
  .object({
    status: z.literal('ready').meta({ description: 'It is ready.' }),
    checks: z
      .array(z.object({ name: ServicePart, ok: z.literal(true).meta({ description: 'It answers.' }) }))
      .meta({ description: 'What was asked, each of which has answered.' }),
  })
  .meta({ description: 'Everything that the API needs answers.' });
export type Readiness = z.infer<typeof Readiness>;
