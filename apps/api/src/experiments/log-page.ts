import { StoredLogRow } from '@longrun/contracts';
import { z } from 'zod';

/** The query of a log: rows beyond a step, oldest first. */
export const LogQuery = z.strictObject({
  /** Rows of later steps only; give `nextAfter` of the page before. Default: from the beginning. */
  after: z.coerce.number().int().min(-1).default(-1),
  /** Rows on a page, 1 to 5000. */
  limit: z.coerce.number().int().min(1).max(5000).default(1000),
});
export type LogQuery = z.infer<typeof LogQuery>;

/** One page of a training log, oldest row first; `nextAfter` asks for the following one, null at the end. */
export const LogPage = z.object({ items: z.array(StoredLogRow), nextAfter: z.int().min(0).nullable() });
export type LogPage = z.infer<typeof LogPage>;
