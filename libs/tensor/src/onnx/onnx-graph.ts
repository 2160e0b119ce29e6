import type { DType, NdArray } from '@longrun/serialization';

import type { TensorType } from '../graph/tensor-type.js';
import type { Message } from './protobuf.js';

/** The value of an ONNX attribute, tagged with its ONNX type. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly tensor: NdArray }
  | { readonly graph: OnnxSubgraph };

/** The attributes of a node, by name. */
export type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

/** A value of a graph: its name and its type; sizes that it does not know may differ from run to run. */
export interface OnnxValue {
  readonly name: string;
  readonly type: TensorType;
}

/** A graph within a node, as `If`, `Loop` and `Scan` take; made by {@link OnnxGraph.subgraph}. */
export interface OnnxSubgraph {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Of type GraphProto. */
  readonly message: Message;
}

/** What ops write themselves into when they are lowered. Names are those of ONNX values. */
export interface OnnxGraph {
  /** Adds a node with one output and returns the output's name. */
  add(opType: string, inputs: readonly string[], attributes?: OnnxAttributes): string;
  /** Adds a node with `count` outputs and returns their names. */
  addMany(opType: string, inputs: readonly string[], count: number, attributes?: OnnxAttributes): readonly string[];
  /**
   * Writes a graph for an attribute: `build` adds its nodes to the graph that it is given, and returns what the graph puts out. It
   * may use all values of the graphs around it.
   */
  subgraph(
    inputs: readonly TensorType[],
    build: (graph: OnnxGraph, inputs: readonly string[]) => readonly OnnxValue[],
  ): OnnxSubgraph;
  /** Names the nodes added from here on, so that errors of the engine say which op they come from. */
  scope(label: string): void;
  /** Has the nodes added from here to the next scope run on the processor, whatever else the model runs on. */
  leaveToProcessor(): void;
  /** Makes an initializer; equal small values share one. */
  initializer(value: NdArray): string;
  /** An int64 vector as initializer: axes, shapes. */
  int64Vector(values: readonly number[]): string;
  /** A scalar of `dtype` as initializer. */
  scalar(value: number, dtype: DType): string;
  /** Adds a Cast. */
  cast(input: string, dtype: DType): string;
}
