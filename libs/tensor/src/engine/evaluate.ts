import type { NdArray } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { checkArguments, checkOption } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { compile } from './compile.js';
import type { ComputeOptions } from './compute-target.js';

/**
 * The value of a variable, given those of the inputs that it depends on: Theano's `variable.eval`. It compiles anew each time; what is
 * run more than once is better compiled once.
 *
 * @throws what {@link compile} and a run of what it returns throw.
 */
export async function evaluate(
  variable: Variable,
  values: ReadonlyMap<Variable, NdArray> = new Map(),
  options: ComputeOptions = {},
): Promise<NdArray> {
  checkArguments(
    'evaluate',
    ['variable', variable, 'variable'],
    ['values', values, 'any'],
    ['options', options, 'options'],
  );
  checkOption('evaluate', 'inputs', values instanceof Map ? [...values.keys()] : values, 'variables');
  const f = await compile({ name: 'evaluate', inputs: [...values.keys()], outputs: [variable], ...options });
  try {
    return at(await f.run([...values.values()]), 0);
  } finally {
    await f.dispose();
  }
}
