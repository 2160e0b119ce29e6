import { z } from 'zod';

/** The query of an event stream. */
export const EventQuery = z.strictObject({
  /** Events after this id only; the header `Last-Event-ID` wins over it. Default 0: all. */
  after: z.coerce.number().int().min(0).default(0),
});
export type EventQuery = z.infer<typeof EventQuery>;
