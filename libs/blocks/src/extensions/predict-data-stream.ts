import type { DataStream } from '@longrun/fuel';
import {
  copyOf,
  encodeSafetensors,
  ndarray,
  StateKind,
  type NdArray,
  type VersionedState,
} from '@longrun/serialization';
import type { Variable } from '@longrun/tensor';

import { compileBatchFunction, type BatchFunction } from '../graph/batch-function.js';
import type { TrainingContext } from '../main-loop/training-context.js';
import { savedPart } from '../main-loop/saved-part.js';
import type { Output } from '../outputs/output.js';
import { SimpleExtension, type SimpleExtensionOptions } from './simple-extension.js';
import type { ExtensionRestoring } from './training-extension.js';

/** Options of {@link PredictDataStream}. */
export interface PredictDataStreamOptions extends SimpleExtensionOptions {
  /** What to predict of. Nothing else may read it. */
  readonly dataStream: DataStream;
  /** What is computed: of each batch an array (examples, …). Each has a name of its own. */
  readonly variables: readonly Variable[];
  /** The file that the predictions are written to, as safetensors: `context.output('predictions.safetensors')`. Default: they are in `prediction` only. */
  readonly output?: Output;
}

/** Computes variables for all examples of a stream; by default after training (Blocks: `PredictDataStream` of blocks-extras, which wrote a `.npz`). */
export class PredictDataStream extends SimpleExtension {
  readonly dataStream: DataStream;
  readonly #variables: ReadonlyMap<string, Variable>;
  readonly #output: Output | undefined;
  #function: Promise<BatchFunction> | undefined;
  #prediction: ReadonlyMap<string, NdArray> = new Map();

  /** @throws Error for a variable without a name, or two of one name */
  constructor(options: PredictDataStreamOptions) {
    super(options, { afterTraining: true });
    this.dataStream = options.dataStream;
    this.#variables = byName(this.name, options.variables);
    this.#output = options.output;
  }

  /** What was predicted last, by name of the variable: (examples, …), in the order of the stream. Empty before. */
  get prediction(): ReadonlyMap<string, NdArray> {
    return this.#prediction;
  }

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    if (mainLoop.dataStream !== this.dataStream) return;
    throw new Error(
      `${this.name}: the data stream is that of training, which predicting would use up; make another one`,
    );
  }

  /** @throws Error where the stream has no batches, or the arrays of batches differ in more than their first axis */
  override async do(): Promise<void> {
    this.#function ??= compileBatchFunction({
      ...this.mainLoop.target,
      name: this.name,
      outputs: [...this.#variables.values()],
      onUnusedSources: 'ignore',
    });
    const compiled = await this.#function;
    const parts: NdArray[][] = [];
    for (let batch = await this.dataStream.next(); batch !== undefined; batch = await this.dataStream.next()) {
      parts.push((await compiled.run(batch)).map(copyOf));
      batch.release();
      this.mainLoop.moved();
    }
    await this.dataStream.nextEpoch();
    this.#prediction = new Map(
      [...this.#variables.keys()].map((name, at) => [
        name,
        joined(
          name,
          parts.flatMap((part) => part[at] ?? []),
        ),
      ]),
    );
    this.#output?.write(encodeSafetensors(this.#prediction));
  }

  override state(): VersionedState {
    return { ...PREDICT.head, dataStream: this.dataStream.state() };
  }

  override restore(state: VersionedState, { otherData = false }: ExtensionRestoring = {}): void {
    if (!otherData) this.dataStream.restore(savedPart(this.name, PREDICT.read(state, this.name), 'dataStream'));
  }
}

const PREDICT = new StateKind('PredictDataStream', { version: 1 });

function byName(owner: string, variables: readonly Variable[]): Map<string, Variable> {
  const named = new Map<string, Variable>();
  for (const variable of variables) {
    const { name } = variable;
    if (name === undefined)
      throw new Error(`${owner}: a variable has no name, which its predictions would have; set variable.name`);
    if (named.has(name)) throw new Error(`${owner}: two variables are named ${name}; give one another name`);
    named.set(name, variable);
  }
  return named;
}

/** Arrays behind each other, on their first axis. */
function joined(name: string, arrays: readonly NdArray[]): NdArray {
  const [first] = arrays;
  if (first === undefined)
    throw new Error(
      `PredictDataStream: the data stream gave no batches, so that there is no ${name}; give it examples`,
    );
  const [, ...rest] = first.shape;
  const misfit = arrays.find(({ shape }) => shape.length === 0 || shape.slice(1).join() !== rest.join());
  if (misfit !== undefined) {
    throw new Error(
      `PredictDataStream: ${name} has the shapes [${first.shape.join()}] and [${misfit.shape.join()}] in two batches, which cannot be put behind each other; ` +
        'predict what has one row for each example',
    );
  }
  const whole = ndarray(first.dtype, [arrays.reduce((rows, { shape }) => rows + (shape[0] ?? 0), 0), ...rest]);
  const bytes = new Uint8Array(whole.data.buffer, whole.data.byteOffset, whole.data.byteLength);
  let end = 0;
  for (const { data } of arrays) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), end);
    end += data.byteLength;
  }
  return whole;
}
