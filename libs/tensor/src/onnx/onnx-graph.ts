import type { DType, NdArray } from '@longrun/serialization';

/** The value of an ONNX attribute, tagged with its ONNX type. */
export type OnnxAttribute = { readonly int: number } | { readonly ints: readonly number[] };

/** What ops write themselves into when they are lowered. Names are those of ONNX values. */
export interface OnnxGraph {
  /** Adds a node with one output and returns the output's name. */
  add(opType: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>): string;
  /** Makes an initializer; equal small values share one. */
  initializer(value: NdArray): string;
  /** An int64 vector as initializer: axes, shapes. */
  int64Vector(values: readonly number[]): string;
  /** A scalar of `dtype` as initializer. */
  scalar(value: number, dtype: DType): string;
  /** Adds a Cast. */
  cast(input: string, dtype: DType): string;
}
