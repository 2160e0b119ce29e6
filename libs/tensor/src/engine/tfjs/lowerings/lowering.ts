import type { DType } from '@longrun/serialization';
import type { Tensor } from '@tensorflow/tfjs-core';

import type { Apply } from '../../../graph/apply.js';
import type { Op, OpParameters } from '../../../graph/op.js';
import type { OpName, ParametersOf } from '../../../ops/op-name.js';
import type { TensorFlow } from '../device.js';
import { deviceDType } from '../device-dtype.js';

/** The application that is lowered: its variables with their types, and the parameters of its op. */
export interface Lowered<P extends OpParameters> {
  readonly node: Apply;
  readonly parameters: P;
}

/** Computes the outputs of one application. Tensors made on the way are freed by the caller. */
export type Lower<P extends OpParameters> = (
  tf: TensorFlow,
  inputs: readonly Tensor[],
  application: Lowered<P>,
) => readonly Tensor[];

/** How TensorFlow.js runs an op. */
export interface TfjsLowering<P extends OpParameters> {
  readonly lower: Lower<P>;
  /** Why it does not with inputs and outputs of these dtypes, undefined when it does. */
  refuses(dtypes: readonly DType[]): string | undefined;
}

/** How TensorFlow.js runs each op: 'host' where it has no kernels for it, so that the op's own `run` computes it. */
export type TfjsLowerings = { readonly [N in OpName]: TfjsLowering<ParametersOf<N>> | 'host' };

/** An op that computes with its elements, so that integers must be ones that TensorFlow.js has: narrowed, they would wrap elsewhere. */
export function computes<P extends OpParameters>(lower: Lower<P>): TfjsLowering<P> {
  return {
    lower,
    refuses: (dtypes) => refusal(dtypes.find((dtype) => deviceDType(dtype) !== dtype)),
  };
}

/** An op that moves its elements, compares them or indexes by them: integers of any width are held as int32. */
export function moves<P extends OpParameters>(lower: Lower<P>): TfjsLowering<P> {
  return {
    lower,
    refuses: (dtypes) => refusal(dtypes.find((dtype) => deviceDType(dtype) === undefined)),
  };
}

/** The lowering of `op` in a table, 'host' for an op that is not in it. */
export function loweringOf(table: TfjsLowerings, op: Op): TfjsLowering<OpParameters> | 'host' {
  // The table pairs each name with the parameters of the op of that name.
  return Object.hasOwn(table, op.name) ? (table[op.name as OpName] as TfjsLowering<OpParameters> | 'host') : 'host';
}

/** The names of the ops that a table leaves to the host. */
export function hostOps(table: TfjsLowerings): ReadonlySet<string> {
  return new Set(Object.entries(table).flatMap(([name, lowering]) => (lowering === 'host' ? [name] : [])));
}

function refusal(dtype: DType | undefined): string | undefined {
  return dtype === undefined ? undefined : `it does not compute in ${dtype}`;
}
