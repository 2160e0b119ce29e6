import { type Bookmark, type Columns, type DataStream, denseIn, Transformer } from '@longrun/fuel';
import {
  type NdArray,
  ndarray,
  type RandomStream,
  stateIn,
  StateKind,
  type VersionedState,
} from '@longrun/serialization';

/**
 * Adds normal noise to one float32 source, drawn in turn: what a batch gets depends on how many numbers were drawn before.
 *
 * State: that of the stream below, and that of the random stream.
 */
export class Noise extends Transformer {
  readonly #source: string;
  readonly #random: RandomStream;

  constructor(stream: DataStream, source: string, random: RandomStream) {
    super(stream);
    this.#source = source;
    this.#random = random;
  }

  protected override transform(columns: Columns): Columns {
    return new Map([...columns, [this.#source, this.#noisy(denseIn(columns, this.#source))]]);
  }

  protected override mark(): Bookmark {
    const random = this.#random.state();
    const below = this.stream.bookmark();
    return () => ({ ...NOISE.head, random, stream: below() });
  }

  protected override load(state: VersionedState): void {
    const read = NOISE.read(state);
    this.#random.restore(stateIn(NOISE.name, read, 'random'));
    this.stream.restore(stateIn(NOISE.name, read, 'stream'));
  }

  #noisy({ shape, data }: NdArray): NdArray {
    const noisy = ndarray('float32', shape);
    for (let i = 0; i < data.length; i += 1) noisy.data[i] = Number(data[i]) + DEVIATION * this.#random.normal();
    return noisy;
  }
}

const NOISE = new StateKind('Noise');
const DEVIATION = 0.01;
