import type { Json } from '@longrun/serialization';
import { checkCount, type IterationScheme, type Request } from './iteration-scheme.js';

/**
 * The part of each batch that is one of several readers', who together read what one alone would: the examples of a batch are parted among them, in order, as evenly as they divide. The
 * position counts whole batches, so that a state is good for any number of readers: a run that was saved by two goes on with three, or alone.
 */
export class ShardedScheme implements IterationScheme {
  readonly requestsExamples = false;
  readonly requestsPerEpoch: number;
  readonly #scheme: IterationScheme;
  readonly #index: number;
  readonly #count: number;

  /**
   * @param scheme of all batches
   * @param shard.index which reader this is, from 0
   * @param shard.count how many there are, at least 1
   * @throws TypeError for a scheme of single examples
   */
  constructor(scheme: IterationScheme, { index, count }: { readonly index: number; readonly count: number }) {
    checkCount('ShardedScheme', 'count', count, 1);
    checkCount('ShardedScheme', 'index', index, 0);
    if (index >= count)
      throw new RangeError(`ShardedScheme: index is ${index} of ${count}; give one from 0 to ${count - 1}`);
    if (scheme.requestsExamples)
      throw new TypeError('ShardedScheme: the scheme asks for single examples, and parts batches; give one of batches');
    this.#scheme = scheme;
    this.#index = index;
    this.#count = count;
    this.requestsPerEpoch = scheme.requestsPerEpoch;
  }

  request(epoch: number, position: number, reader?: object): Request | undefined {
    const whole = this.#scheme.request(epoch, position, reader);
    if (whole === undefined || typeof whole === 'number') return whole;
    const length = whole instanceof Uint32Array ? whole.length : whole.stop - whole.start;
    const [start, stop] = [this.#index, this.#index + 1].map((part) => Math.floor((length * part) / this.#count));
    if (whole instanceof Uint32Array) return whole.slice(start, stop);
    return { start: whole.start + (start ?? 0), stop: whole.start + (stop ?? 0) };
  }

  /** That of all batches: what one reader saved another goes on from. */
  identity(): { readonly [key: string]: Json } {
    return this.#scheme.identity();
  }
}
