import type { NdArray } from '@longrun/serialization';
import { compile, type Variable } from '@longrun/tensor';

/** The value of a variable, on the reference engine unless said otherwise, as a flat list. */
export async function evaluate(
  output: Variable,
  given: readonly (readonly [Variable, NdArray])[] = [],
  engine: string = 'reference',
): Promise<number[]> {
  const compiled = await compile({
    inputs: given.map(([variable]) => variable),
    outputs: [output],
    engine,
    threads: 1,
  });
  const [value] = await compiled.run(given.map(([, array]) => array));
  return Array.from<number | bigint, number>(value?.data ?? [], Number);
}
