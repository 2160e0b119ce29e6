import type { Json } from '@longrun/serialization';
import type { IterationScheme, Request } from './iteration-scheme.js';

/** One scheme after the other in each epoch (Fuel: `ConcatenatedScheme`). */
export class ConcatenatedScheme implements IterationScheme {
  readonly requestsExamples: boolean;
  readonly requestsPerEpoch: number;
  readonly #schemes: readonly IterationScheme[];

  /** @param schemes at least one; all of examples or all of batches */
  constructor(schemes: readonly IterationScheme[]) {
    const [first] = schemes;
    if (first === undefined) throw new RangeError('ConcatenatedScheme: there are no schemes; give at least one');
    if (schemes.some((scheme) => scheme.requestsExamples !== first.requestsExamples)) {
      throw new RangeError(
        'ConcatenatedScheme: some schemes request examples and some request batches; give schemes of one kind',
      );
    }
    this.#schemes = [...schemes];
    this.requestsExamples = first.requestsExamples;
    this.requestsPerEpoch = schemes.reduce((sum, scheme) => sum + scheme.requestsPerEpoch, 0);
  }

  request(epoch: number, position: number, reader?: object): Request | undefined {
    let remaining = position;
    for (const scheme of this.#schemes) {
      if (remaining < scheme.requestsPerEpoch) return scheme.request(epoch, remaining, reader);
      remaining -= scheme.requestsPerEpoch;
    }
    return undefined;
  }

  identity(): { readonly [key: string]: Json } {
    return { scheme: 'ConcatenatedScheme', schemes: this.#schemes.map((scheme) => scheme.identity()) };
  }
}
