import type { DataStream } from './data-stream.js';
import type { StreamFactory } from './thread-protocol.js';

/** The stream that a factory makes. @throws TypeError where its module has no such function, or that makes no stream */
export async function buildStream({ module, factory, argument }: StreamFactory): Promise<DataStream> {
  const exports: unknown = await import(module);
  const make: unknown = typeof exports === 'object' && exports !== null ? Reflect.get(exports, factory) : undefined;
  if (typeof make !== 'function') {
    throw new TypeError(`ThreadStream: ${module} exports no function ${factory}; export the one that makes the stream`);
  }
  const stream: unknown = await make(argument);
  if (isStream(stream)) return stream;
  throw new TypeError(`ThreadStream: ${factory} of ${module} gives no stream; have it return one`);
}

/** A stream of another copy of this library is one too. */
function isStream(value: unknown): value is DataStream {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['next', 'state', 'restore', 'bookmark'].every((name) => name in value)
  );
}
