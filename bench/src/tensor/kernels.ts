import type { CompiledFunction } from '@longrun/tensor';

/** What kernels of one step take, in ms, on average of so many that change nothing. */
export async function kernelsOf(
  step: CompiledFunction,
  inputs: Parameters<CompiledFunction['profile']>[0],
  runs: number,
): Promise<{ products: number; all: number }> {
  const { ops } = await step.profile(inputs, { runs });
  const sum = (names: RegExp): number =>
    ops
      .filter((op) => op.kernels.some((kernel) => names.test(kernel)))
      .reduce((total, { timeMs }) => total + timeMs, 0);
  return { products: sum(/Gemm|MatMul|Conv/), all: sum(/(?:)/) };
}
