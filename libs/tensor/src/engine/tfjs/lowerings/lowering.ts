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
  /** The inputs that the host reads, in order. */
  readonly integers: readonly number[];
  /** Computes the outputs of the op's inner graph, each a tensor of its own, from tensors that stay the caller's. */
  readonly runInner: (inputs: readonly Tensor[]) => Tensor[];
}

/** Computes the outputs of one application from the inputs that the host does not read. Tensors made on the way are freed by the caller. */
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
  /** Whether what it refuses is left to the host however many elements there are. */
  readonly isLeft: boolean;
  /** Whether the input at a position is an integer scalar that the host reads: a size, a bound. */
  readsInteger(position: number): boolean;
}

/** How TensorFlow.js runs each op: 'host' where it has no kernels for it, so that the op's own `run` computes it. */
export type TfjsLowerings = { readonly [N in OpName]: TfjsLowering<ParametersOf<N>> | 'host' };

type AnyTable = Readonly<Record<string, TfjsLowering<never> | 'host'>>;

type Options = Partial<Pick<TfjsLowering<OpParameters>, 'isLeft' | 'readsInteger'>>;

/** An op that computes with its elements, so that integers must be ones that TensorFlow.js has: narrowed, they would wrap elsewhere. */
export function computes<P extends OpParameters>(lower: Lower<P>): TfjsLowering<P> {
  return lowering(lower, (dtype) => deviceDType(dtype) === dtype);
}

/** An op that computes with floats, and leaves what is not float32 to the host. */
export function computesFloats<P extends OpParameters>(lower: Lower<P>): TfjsLowering<P> {
  return lowering(lower, (dtype) => dtype === 'float32', { isLeft: true });
}

/** An op that moves its elements, compares them or indexes by them: integers of any width are held as int32. */
export function moves<P extends OpParameters>(lower: Lower<P>, options: Options = {}): TfjsLowering<P> {
  return lowering(lower, (dtype) => deviceDType(dtype) !== undefined, options);
}

/** Why a table has no way to run `op` with inputs and outputs of these dtypes; undefined when it has. */
export function refusalOf(table: AnyTable, op: Op, dtypes: readonly DType[]): string | undefined {
  const entry = loweringOf(table, op);
  return entry === undefined ? 'it has no kernel for the op' : entry.refuses(dtypes);
}

/** The lowering of `op` in a table; undefined where it is the host's. */
export function loweringOf(table: AnyTable, op: Op): TfjsLowering<OpParameters> | undefined {
  const entry = Object.hasOwn(table, op.name) ? table[op.name] : undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tables pair each name with its op's own parameters
  return entry === 'host' ? undefined : (entry as TfjsLowering<OpParameters> | undefined);
}

/** The names of the ops that a table leaves to the host, always or in some dtypes. */
export function hostOps(table: TfjsLowerings): ReadonlySet<string> {
  return new Set(Object.entries(table).flatMap(([name, entry]) => (entry === 'host' || entry.isLeft ? [name] : [])));
}

function lowering<P extends OpParameters>(
  lower: Lower<P>,
  has: (dtype: DType) => boolean,
  { isLeft = false, readsInteger = () => false }: Options = {},
): TfjsLowering<P> {
  const refuses = (dtypes: readonly DType[]): string | undefined => {
    const lacking = dtypes.find((dtype) => !has(dtype));
    return lacking === undefined ? undefined : `it does not compute in ${lacking}`;
  };
  return { lower, refuses, isLeft, readsInteger };
}
