import type { DType } from '@longrun/serialization';

import type { Apply } from '../../../graph/apply.js';
import type { Op, OpParameters } from '../../../graph/op.js';
import type { Variable } from '../../../graph/variable.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import type { OpName, ParametersOf } from '../../../ops/op-name.js';

/** The application that is lowered: its variables with their types, and the parameters of its op. */
export interface Lowered<P extends OpParameters> {
  readonly node: Apply;
  readonly parameters: P;
  /** Writes what computes `outputs` of an inner graph into `graph`, given the names of its inputs, and returns their names. */
  readonly lowerInside: (
    graph: OnnxGraph,
    outputs: readonly Variable[],
    names: ReadonlyMap<Variable, string>,
  ) => string[];
}

/** Adds the ONNX nodes of one application to `graph`, given the names of its inputs, and returns those of its outputs. */
export type OnnxLowering<P extends OpParameters> = (
  graph: OnnxGraph,
  inputs: readonly string[],
  application: Lowered<P>,
) => readonly string[];

/** A lowering to kernels that ONNX Runtime has for some dtypes only. */
export interface LimitedLowering<P extends OpParameters> {
  readonly lower: OnnxLowering<P>;
  /** Why it does not run with inputs and outputs of these dtypes, undefined when it does. */
  refuses(dtypes: readonly DType[]): string | undefined;
}

/** A lowering to kernels that ONNX Runtime does not have for float64. */
export function exceptFloat64<P extends OpParameters>(lower: OnnxLowering<P>): LimitedLowering<P> {
  return {
    lower,
    refuses: (dtypes) => (dtypes.includes('float64') ? 'it has no kernel for the op in float64' : undefined),
  };
}

/** How ONNX Runtime runs each op: 'host' where it has no kernels for it, so that the op's own `run` computes it. */
export type OnnxLowerings = {
  readonly [N in OpName]: OnnxLowering<ParametersOf<N>> | LimitedLowering<ParametersOf<N>> | 'host';
};

/** The lowering of `op` in a table. @throws Error naming the op where the table has none. */
export function loweringOf(
  table: Readonly<Record<string, OnnxLowering<never> | LimitedLowering<never> | 'host'>>,
  op: Op,
): OnnxLowering<OpParameters> {
  const lowering = Object.hasOwn(table, op.name) ? table[op.name] : undefined;
  if (lowering === undefined || lowering === 'host') {
    throw new Error(
      `${op.name}: the engine onnxruntime cannot run this op; add it to engine/onnxruntime/lowerings, or compile for 'reference'`,
    );
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tables pair each name with its op's own parameters
  return (typeof lowering === 'function' ? lowering : lowering.lower) as OnnxLowering<OpParameters>;
}
