import type { DType } from '@longrun/serialization';

/** ONNX's number for a dtype: `TensorProto.DataType` of onnx.proto. */
export const onnxDataType: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
  uint32: 12,
};
