import { EventEnvelope, Fence, type Json, Kind, OutputStream, storableText, WorkerEvent } from '@longrun/contracts';
import { z } from 'zod';

/** An envelope whose event may be one that this build cannot read. */
export type Envelope = Omit<EventEnvelope, 'event'> & { readonly event: WorkerEvent | undefined };

/** Reads what a worker put into the stream; undefined when it is not even an envelope. */
export function readEnvelope(text: string): Envelope | undefined {
  return readFast(text) ?? readBySchema(text);
}

/** Reads the events that come by the thousand. Undefined for all others, and for whatever the schema would refuse or change. */
export function readFast(text: string): Envelope | undefined {
  const envelope = parseJson(text);
  if (!isObject(envelope)) return undefined;
  const { kind, id, fence, seq, at, event } = envelope;
  if (typeof id !== 'string' || !isKind(kind) || !isNatural(fence) || fence === 0 || !isNatural(seq)) return undefined;
  if (typeof at !== 'string' || !moment.test(at) || !isObject(event)) return undefined;
  const read = readEvent(event);
  return read === undefined ? undefined : { kind, id, fence, seq, at, event: read };
}

/** Reads an envelope by its schema. */
export function readBySchema(text: string): Envelope | undefined {
  const outer = OpenEnvelope.safeParse(withFence(parseJson(text)));
  if (!outer.success) return undefined;
  const { event, ...envelope } = outer.data;
  const read = depthWithin(event, MAX_DEPTH) ? WorkerEvent.safeParse(event) : undefined;
  return { ...envelope, event: read?.success === true ? read.data : undefined };
}

/** Values may be nested so deep: PostgreSQL and `JSON.stringify` refuse what is nested without end. */
export const MAX_DEPTH = 100;

type JsonRecord = Readonly<Record<string, unknown>>;

function readEvent(event: JsonRecord): WorkerEvent | undefined {
  switch (event['type']) {
    case 'log_row': {
      const { step, row } = event;
      return isNatural(step) && isRow(row) ? { type: 'log_row', step, row } : undefined;
    }
    case 'line': {
      const { stream, text } = event;
      return isStream(stream) && typeof text === 'string' ? { type: 'line', stream, text } : undefined;
    }
    case 'heartbeat': {
      const { step } = event;
      return isNatural(step) ? { type: 'heartbeat', step } : undefined;
    }
    default:
      return undefined;
  }
}

const isKind = memberOf(Kind.options);
const isStream = memberOf(OutputStream.options);
const moment = z.core.regexes.datetime({});

function memberOf<T extends string>(options: readonly T[]): (value: unknown) => value is T {
  const set = new Set<unknown>(options);
  return (value): value is T => set.has(value);
}

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isObject(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRow(value: unknown): value is Readonly<Record<string, Json>> {
  return isObject(value) && isJson(value, MAX_DEPTH);
}

/** A parsed value of which the schema of JSON changes nothing. Its strings are {@link parseJson}'s, but for the keys. */
function isJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'number':
      // 1e999 is written in JSON and is no number of it.
      return Number.isFinite(value);
    case 'string':
    case 'boolean':
      return true;
    case 'object': {
      if (value === null) return true;
      if (depth === 0) return false;
      if (Array.isArray(value)) return value.every((item) => isJson(item, depth - 1));
      for (const [key, item] of Object.entries(value)) if (!isPlainKey(key) || !isJson(item, depth - 1)) return false;
      return true;
    }
    default:
      return false;
  }
}

/** The schema leaves `__proto__` out, and refuses keys that cannot be stored. */
function isPlainKey(key: string): boolean {
  return key !== '__proto__' && !key.includes('\0') && !LONE_SURROGATE.test(key);
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

const OpenEnvelope = EventEnvelope.extend({ event: z.unknown() });

const OldEnvelope = z.object({ epoch: Fence, fence: z.undefined() }).loose();

/** An envelope from a worker of the first builds, which called the fence an epoch. It may still lie in the stream after an update. */
function withFence(envelope: unknown): unknown {
  const old = OldEnvelope.safeParse(envelope);
  return old.success ? { ...old.data, fence: old.data.epoch } : envelope;
}

/** JSON whose strings PostgreSQL can store: programs print NUL characters and halves of surrogate pairs. */
function parseJson(text: string): unknown {
  try {
    // Neither can stand in JSON but as \u…: most texts have none, and need no look at each string.
    if (!text.includes(String.raw`\u`)) return JSON.parse(text);
    return JSON.parse(text, (_key, value: unknown) => (typeof value === 'string' ? storableText(value) : value));
  } catch {
    return undefined;
  }
}

/** Without recursion: what is nested too deep would end it. */
function depthWithin(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return false;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return true;
}
