import type { DType, NdArray } from '@longrun/serialization';
import type { InferenceSession, Tensor } from 'onnxruntime-node';

import { OnnxModel } from '../../onnx/onnx-model.js';
import { StoredValue } from '../stored-value.js';
import { toNdArray } from './to-ndarray.js';
import { onnxruntimeNode } from './onnxruntime-node.js';

/** A value in the memory of the device that WebGPU computes with. */
export class DeviceValue extends StoredValue {
  readonly #tensor: Tensor;

  /** @param tensor Becomes the value's: nothing else may dispose of it. */
  constructor(dtype: DType, tensor: Tensor) {
    super({ dtype, shape: tensor.dims });
    this.#tensor = tensor;
  }

  /** For sessions of WebGPU to read, while they hold the value. */
  get tensor(): Tensor {
    return this.#tensor;
  }

  protected override async toHost(): Promise<NdArray> {
    const { session, input, output } = await reader(this.dtype, this.shape.length);
    const { [output]: copy } = await session.run({ [input]: this.#tensor });
    return toNdArray('reading a value', copy);
  }

  protected override free(): void {
    this.#tensor.dispose();
  }
}

/** What copies values of one type to the host: `getData()` of a tensor of WebGPU ends the process. */
interface Reader {
  readonly session: InferenceSession;
  readonly input: string;
  readonly output: string;
}

const READERS = new Map<string, Promise<Reader>>();

async function reader(dtype: DType, rank: number): Promise<Reader> {
  const key = `${dtype} ${rank}`;
  const opened = READERS.get(key) ?? openReader(dtype, rank);
  READERS.set(key, opened);
  return await opened;
}

async function openReader(dtype: DType, rank: number): Promise<Reader> {
  const { InferenceSession } = onnxruntimeNode();
  const type = { dtype, shape: Array.from({ length: rank }, () => null) };
  const model = new OnnxModel('read');
  const input = model.input('value', type);
  const output = model.output(input, type);
  const session = await InferenceSession.create(model.encode(), {
    executionProviders: ['webgpu'],
    logSeverityLevel: 4,
  });
  return { session, input, output };
}
