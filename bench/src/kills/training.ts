import { createHash } from 'node:crypto';
import { type Batch, type DataStream, denseIn } from '@longrun/fuel';
import {
  accumulate,
  countIn,
  cycle,
  decodeSafetensors,
  encodeSafetensors,
  type Json,
  type LogEntry,
  ndarray,
  range,
  stateIn,
  type StatefulIterator,
  StateKind,
  type VersionedState,
} from '@longrun/serialization';
import { EPOCHS, openExamples, WIDTH } from './examples.js';

/** An example as it was delivered: a row of the log. */
export type Delivery = {
  readonly epoch: number;
  /** Its number in the dataset. */
  readonly example: number;
  /** Beginning of the SHA-256 of its batch, after all transformers. */
  readonly batch: string;
};

/** The files of a checkpoint, by name. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** Training that is quick, and whose parameters depend on every byte of every batch and on their order. */
export class Training {
  readonly #examples: DataStream;
  readonly #rates: StatefulIterator<number> = cycle(accumulate(range(1, 8)));
  readonly #parameters = new Float64Array(WIDTH);
  #digest: Uint8Array = new Uint8Array(32);
  #epoch = 0;
  #step = 0;

  constructor(examples: DataStream) {
    this.#examples = examples;
  }

  static async open(dataset: string, seed: number): Promise<Training> {
    return new Training(await openExamples(dataset, seed));
  }

  /** Batches done. */
  get step(): number {
    return this.#step;
  }

  /** Does a batch, and gives the rows of its examples; undefined after the last one of the last epoch. */
  async next(): Promise<readonly LogEntry[] | undefined> {
    let batch = await this.#examples.next();
    while (batch === undefined) {
      if (this.#epoch + 1 === EPOCHS) return undefined;
      await this.#examples.nextEpoch();
      this.#epoch += 1;
      batch = await this.#examples.next();
    }
    const digest = digestOf(batch);
    this.#digest = createHash('sha256').update(this.#digest).update(digest).digest();
    this.#descend(denseIn(batch.columns, 'features').data);
    this.#step += 1;
    return Array.from<number | bigint, LogEntry>(denseIn(batch.columns, 'number').data, (number) => {
      const row: Delivery = { epoch: this.#epoch, example: Number(number), batch: digest.toString('hex', 0, 8) };
      return { step: this.#step, row };
    });
  }

  /** What a checkpoint of it holds: all that goes on from here. */
  files(): Files {
    const tensors = {
      '/parameters': ndarray('float64', [WIDTH], this.#parameters),
      '/digest': ndarray('uint8', [32], Uint8Array.from(this.#digest)),
    };
    const state = {
      ...TRAINING.head,
      step: this.#step,
      epoch: this.#epoch,
      examples: this.#examples.state(),
      rates: this.#rates.state(),
    };
    return new Map([
      [PARAMETERS, Uint8Array.from(encodeSafetensors(new Map(Object.entries(tensors))))],
      [STATE, Buffer.from(JSON.stringify(state))],
      ['frozen.bin', FROZEN],
    ]);
  }

  restore(files: Files): void {
    const { tensors } = decodeSafetensors(fileOf(files, PARAMETERS));
    const saved: VersionedState = JSON.parse(Buffer.from(fileOf(files, STATE)).toString());
    const state = TRAINING.read(saved);
    this.#examples.restore(stateIn(TRAINING.name, state, 'examples'));
    this.#rates.restore(stateIn(TRAINING.name, state, 'rates'));
    this.#epoch = countIn(TRAINING.name, state, 'epoch');
    this.#step = countIn(TRAINING.name, state, 'step');
    this.#parameters.set(Array.from(tensors.get('/parameters')?.data ?? [], Number));
    this.#digest = Uint8Array.from(tensors.get('/digest')?.data ?? [], Number);
  }

  #descend(features: ArrayLike<number | bigint>): void {
    const { value: rate = Number.NaN } = this.#rates.next();
    for (let i = 0; i < features.length; i += 1) {
      const column = i % WIDTH;
      const parameter = this.#parameters[column] ?? Number.NaN;
      this.#parameters[column] = 0.99 * parameter + rate * Number(features[i]);
    }
  }
}

const TRAINING = new StateKind('Training');
const PARAMETERS = 'parameters.safetensors';
const STATE = 'state.json';
/** A file that stays as it is, which commits name again. */
const FROZEN = Buffer.alloc(16_384, 'frozen;');

function digestOf({ columns }: Batch): Buffer {
  const hash = createHash('sha256');
  for (const source of columns.keys()) {
    const { dtype, shape, data } = denseIn(columns, source);
    const what: Json = [source, dtype, shape];
    hash.update(JSON.stringify(what)).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest();
}

function fileOf(files: Files, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw new Error(`a checkpoint came without ${name}; it has ${[...files.keys()].join(', ')}`);
  return bytes;
}
