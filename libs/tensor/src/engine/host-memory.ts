import { MessageChannel } from 'node:worker_threads';

/**
 * Gives the memory of a buffer back at once; whatever looks at it has no elements from then on.
 *
 * The garbage collector would do so too, but late and at a price: whenever the buffers that it has not yet found to be garbage have
 * enough bytes, V8 goes over the whole heap. A training step that leaves its old state behind has it do so every few steps.
 *
 * @throws DataCloneError for memory that belongs to Node, such as that of small Buffers
 */
export function freeBuffer(buffer: ArrayBufferLike): void {
  // What threads share cannot be taken from them.
  if (!(buffer instanceof ArrayBuffer)) return;
  CLOSED_PORT.postMessage(undefined, [buffer]);
}

/** A message to a port that is closed takes along what it transfers, as to an open one, and is dropped at once. */
const CLOSED_PORT = closedPort();

function closedPort(): MessageChannel['port1'] {
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
}
