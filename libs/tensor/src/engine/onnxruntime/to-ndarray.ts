import { isDType, ndarray, type NdArray } from '@longrun/serialization';
import type { Tensor } from 'onnxruntime-node';

/** The elements of a tensor in memory. @throws Error, beginning with `name`, where there is none, or one of a type that is not known */
export function toNdArray(name: string, tensor: Tensor | undefined): NdArray {
  if (tensor === undefined) throw new Error(`${name}: ONNX Runtime returned no value for an output`);
  const { type, dims, data } = tensor;
  if (!isDType(type) || Array.isArray(data) || data instanceof BigUint64Array) {
    throw new Error(`${name}: ONNX Runtime returned a value of type ${type} for an output`);
  }
  return ndarray(type, dims, data);
}
