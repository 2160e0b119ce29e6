import { assertNever, ndarray, type DType, type NdArray } from '@longrun/serialization';

import { typedArray } from '../../arrays/typed-array.js';

/** The dtypes that TensorFlow.js computes in. */
export type DeviceDType = 'float32' | 'int32' | 'bool';

/** The elements of a tensor, as TensorFlow.js takes them and gives them. */
export type DeviceArray = Float32Array | Int32Array | Uint8Array;

/** The dtype in which the device holds values of `dtype`; undefined where it has none that could. */
export function deviceDType(dtype: DType): DeviceDType | undefined {
  switch (dtype) {
    case 'float32':
    case 'bool':
      return dtype;
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return 'int32';
    case 'float64':
      return undefined;
    default:
      return assertNever(dtype, 'dtype');
  }
}

/** The dtype in which the device holds values of `dtype`. @throws TypeError where it has none */
export function heldAs(dtype: DType): DeviceDType {
  const held = deviceDType(dtype);
  if (held === undefined) throw new TypeError(`TensorFlow.js has no ${dtype}; cast to float32`);
  return held;
}

/**
 * A copy of the elements, for the device. It is a copy because TensorFlow.js keeps the memory that it is given.
 *
 * @throws RangeError for an integer that int32 cannot hold
 */
export function toDevice({ dtype, data }: NdArray): DeviceArray {
  const held = heldAs(dtype);
  if (held === 'float32' && data instanceof Float32Array) return new Float32Array(data);
  if (held === 'bool' && data instanceof Uint8Array) return new Uint8Array(data);
  return narrow(dtype, data);
}

/** The value of a tensor of that dtype and shape, in memory of its own. */
export function fromDevice(dtype: DType, shape: readonly number[], elements: DeviceArray): NdArray {
  return ndarray(dtype, shape, typedArray(dtype, elements));
}

function narrow(dtype: DType, data: NdArray['data']): Int32Array {
  const narrowed = new Int32Array(data.length);
  for (let index = 0; index < data.length; index += 1) {
    const element = Number(data[index]);
    narrowed[index] = element;
    if (narrowed[index] !== element) {
      throw new RangeError(
        `${element} is beyond what TensorFlow.js holds, which has no ${dtype} and narrows it to int32; use another engine`,
      );
    }
  }
  return narrowed;
}
