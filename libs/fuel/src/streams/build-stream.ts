import type { Columns } from '../arrays/column.js';
import type { DataStream } from './data-stream.js';
import type { Place } from './delivery.js';
import type { StreamFactory } from './thread-protocol.js';

/** The stream that a factory makes. @throws TypeError where its module has no such function, or that makes no stream */
export async function buildStream(factory: StreamFactory): Promise<DataStream> {
  const stream = await made('ThreadStream', factory);
  if (isStream(stream)) return stream;
  throw new TypeError(`ThreadStream: ${factory.factory} of ${factory.module} gives no stream; have it return one`);
}

/** Columns in the place of those of a batch or an example. */
export type PlacedMapping = (columns: Columns, place: Place) => Columns | Promise<Columns>;

/** The function that a factory makes. @throws TypeError where its module has no such function, or that makes none */
export async function buildMapping(factory: StreamFactory): Promise<PlacedMapping> {
  const mapping = await made('ParallelMapping', factory);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it takes and gives cannot be seen
  if (typeof mapping === 'function') return mapping as PlacedMapping;
  throw new TypeError(
    `ParallelMapping: ${factory.factory} of ${factory.module} gives no function; have it return the mapping`,
  );
}

async function made(what: string, { module, factory, argument }: StreamFactory): Promise<unknown> {
  const exports: unknown = await import(module);
  const make: unknown = typeof exports === 'object' && exports !== null ? Reflect.get(exports, factory) : undefined;
  if (typeof make === 'function') return await make(argument);
  throw new TypeError(`${what}: ${module} exports no function ${factory}; export the one that makes it`);
}

/** A stream of another copy of this library is one too. */
function isStream(value: unknown): value is DataStream {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['next', 'state', 'restore', 'bookmark'].every((name) => name in value)
  );
}
