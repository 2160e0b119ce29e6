import { sizeOf } from '@longrun/serialization';
import { dimension, isAllKnown, mul, reshape, Variable } from '@longrun/tensor';

import { currentCall } from './application-call.js';
import { BrickWrapper } from './brick-wrapper.js';
import { isList, type ApplicationResult } from './tagging.js';

/** The last argument of an application that is wrapped in {@link WithExtraDims}. */
export interface ExtraDims {
  /** How many axes there are before that of the examples, in all inputs and outputs. Default 0. */
  readonly extraNdim?: number | undefined;
}

/**
 * Has an application that is written for `(batch, ...)` take `(time, batch, ...)` and more (Blocks: `WithExtraDims`): the axes before that of the
 * examples are made one with it, and are there again in what comes out.
 */
export class WithExtraDims extends BrickWrapper {
  /** @throws Error where an input has not so many axes */
  override call(
    method: (...args: readonly unknown[]) => ApplicationResult,
    args: readonly unknown[],
  ): ApplicationResult {
    const extra = args.map(extraNdimOf).find((found) => found !== undefined) ?? 0;
    const inputs = args.filter((argument) => argument instanceof Variable);
    if (extra === 0) return method(...inputs);
    const [sizes = []] = inputs.map((input) => leadingSizes(input, extra));
    const result = method(...inputs.map((input) => folded(input, extra)));
    if (result instanceof Variable) return unfolded(result, sizes);
    if (isList(result)) return result.map((output) => unfolded(output, sizes));
    return Object.fromEntries(Object.entries(result).map(([name, output]) => [name, unfolded(output, sizes)]));
  }
}

function extraNdimOf(argument: unknown): number | undefined {
  if (typeof argument !== 'object' || argument === null || !('extraNdim' in argument)) return undefined;
  const { extraNdim } = argument;
  if (extraNdim === undefined) return undefined;
  if (typeof extraNdim === 'number' && Number.isInteger(extraNdim) && extraNdim >= 0) return extraNdim;
  throw new Error(`${called()}: extraNdim is ${JSON.stringify(extraNdim)}; give a whole number of at least 0`);
}

function leadingSizes(input: Variable, extra: number): Variable[] {
  if (input.ndim <= extra) {
    throw new Error(`${called()}: an input has ${input.ndim} axes; with extraNdim ${extra} give at least ${extra + 1}`);
  }
  return Array.from({ length: extra + 1 }, (_, axis) => dimension(input, axis));
}

function folded(input: Variable, extra: number): Variable {
  const known = input.shape.slice(0, extra + 1);
  const examples = isAllKnown(known)
    ? sizeOf(known)
    : leadingSizes(input, extra).reduce((count, size) => mul(count, size));
  return reshape(input, [examples, ...input.shape.slice(extra + 1).map((_, at) => dimension(input, extra + 1 + at))]);
}

function unfolded(output: Variable, sizes: readonly Variable[]): Variable {
  return reshape(output, [...sizes, ...output.shape.slice(1).map((_, axis) => dimension(output, axis + 1))]);
}

function called(): string {
  return currentCall().application.toString();
}
