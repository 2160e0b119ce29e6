import { LiveEvent, type Phase } from '@longrun/contracts';
import { type Kysely, sql } from 'kysely';

import { entriesOf, type LogChunk, type StoredLogEntry } from '../record/log-chunk.js';
import { chunkJson } from '../record/log-store.js';
import type { Tables } from '../record/tables.js';

/** Live events that have an id. */
export type NumberedEvent = Exclude<LiveEvent, { id: null }>;

/** Some of the events of an experiment, by id. */
export interface EventPage {
  readonly events: readonly NumberedEvent[];
  /** What the log's rows among them take as JSON, about. */
  readonly rowBytes: number;
  /** All events up to this id that are not superseded are in this page or before it. */
  readonly reached: number;
  /** The last id of the experiment, when this was read. */
  readonly lastEvent: number;
  readonly phase: Phase;
}

/**
 * Reads the events after `after`: what happened, and the log's rows, those that are superseded left out. In one statement,
 * so that they are of one moment. Undefined for an experiment that does not exist.
 */
export async function readEventPage(db: Kysely<Tables>, id: string, after: number): Promise<EventPage | undefined> {
  const { rows } = await sql<StoredPage>`
    select l.phase, l.last_event, (
      select coalesce(json_agg(e order by e.id), '[]') from (
        select event as id, type, at, data from events
        where events.id = l.id and event > ${after}::bigint order by event limit ${EVENTS_AT_ONCE}::integer) e
    ) as events, (
      select coalesce(json_agg(c.chunk order by c.number), '[]') from (
        select ${chunkJson()} as chunk, c.chunk as number from log_chunks c
        where c.id = l.id and l.last_event > ${after}::bigint and c.chunk >= coalesce(
          (select max(o.chunk) from log_chunks o where o.id = l.id and o.chunk <= ${after}::bigint), 0)
        order by c.chunk limit ${CHUNKS_AT_ONCE}::integer) c
    ) as chunks
    from lives l where l.id = ${id}`.execute(db);
  const page = rows[0];
  if (page === undefined) return undefined;
  const { phase, lastEvent, chunks } = page;
  const reached = Math.max(
    after,
    Math.min(
      lastEvent,
      page.events.length < EVENTS_AT_ONCE ? lastEvent : (page.events.at(-1)?.id ?? lastEvent),
      chunks.length < CHUNKS_AT_ONCE ? lastEvent : (chunks.at(-1)?.events.at(-1) ?? lastEvent),
    ),
  );
  const stored = page.events.map(({ at, ...event }) => parse({ ...event, at: new Date(at).toISOString() }));
  const isOfPage = (event: number): boolean => event > after && event <= reached;
  const entries = chunks
    .flatMap((chunk) => entriesOf(chunk))
    .filter(({ event, superseded }) => isOfPage(event) && !superseded);
  const events = [...stored.filter(({ id: event }) => isOfPage(event)), ...entries.map((entry) => rowEvent(entry))];
  const rowBytes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  return { events: events.toSorted((a, b) => a.id - b.id), rowBytes, reached, lastEvent, phase };
}

/** Rows of `lives`, as the statement reads them. */
interface StoredPage {
  readonly phase: Phase;
  readonly lastEvent: number;
  readonly events: readonly { id: number; type: string; at: string; data: unknown }[];
  readonly chunks: readonly LogChunk[];
}

/** A page holds the memory of some thousand rows. */
const EVENTS_AT_ONCE = 1500;
const CHUNKS_AT_ONCE = 8;

function rowEvent({ event, fence, step, time, row }: StoredLogEntry): NumberedEvent {
  return { type: 'log_row', id: event, at: new Date(time).toISOString(), data: { fence, step, row } };
}

function parse(stored: unknown): NumberedEvent {
  const event = LiveEvent.parse(stored);
  if (event.id === null) throw new Error(`An event of type ${event.type} is stored; it has no id`);
  return event;
}
