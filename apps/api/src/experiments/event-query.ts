import { z } from 'zod';

/** The query of an event stream. */
export const EventQuery = z.strictObject({
  after: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .meta({ description: 'Events after this id only; the header `Last-Event-ID` wins over it. Default 0: all.' }),
});
export type EventQuery = z.infer<typeof EventQuery>;
