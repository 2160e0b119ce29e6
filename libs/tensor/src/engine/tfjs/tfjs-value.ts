import type { DType, NdArray } from '@longrun/serialization';
import type { Tensor } from '@tensorflow/tfjs-core';

import { StoredValue } from '../stored-value.js';
import type { TensorFlow } from './device.js';
import { fromDevice } from './device-dtype.js';

/** A value that TensorFlow.js holds. */
export class TfjsValue extends StoredValue {
  readonly #tf: TensorFlow;
  readonly #tensor: Tensor;

  /** @param tensor Becomes the value's: nothing else may dispose of it. */
  constructor(tf: TensorFlow, dtype: DType, tensor: Tensor) {
    super({ dtype, shape: tensor.shape });
    this.#tf = tf;
    this.#tensor = tensor;
  }

  /** The tensor, for functions of the same TensorFlow.js to read while they hold the value; undefined for others. */
  tensorFor(tf: TensorFlow): Tensor | undefined {
    return tf === this.#tf ? this.#tensor : undefined;
  }

  protected override async toHost(): Promise<NdArray> {
    return fromDevice(this.dtype, this.shape, await this.#tensor.data());
  }

  protected override free(): void {
    this.#tensor.dispose();
  }
}
