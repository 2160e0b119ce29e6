import type { NdArray } from '@longrun/serialization';

import { compile, engineNamed, type Variable } from '../src/index.js';
import { compileReference } from '../src/engine/reference/reference-engine.js';

/** An engine that the laws and goldens are run on. */
export interface TestedEngine {
  readonly name: string;
  /** Compiles `outputs` as a function of `inputs`, runs it once and disposes of it. Unused inputs are allowed. */
  run(inputs: readonly Variable[], outputs: readonly Variable[], values: readonly NdArray[]): Promise<NdArray[]>;
}

/** The reference engine with rounding after each op, as engines that compute in float32 do. */
const FAITHFUL: TestedEngine = {
  name: 'reference, rounding each op',
  async run(inputs, outputs, values) {
    const executable = await compileReference(
      { name: 'function', inputs, outputs: [...new Set(outputs)] },
      { rounding: 'each op' },
    );
    const results = await Promise.all((await executable.run(values)).map((result) => result.take()));
    const at = new Map([...new Set(outputs)].map((output, position) => [output, position]));
    return outputs.map((output) => {
      const result = results[at.get(output) ?? -1];
      if (result === undefined) throw new Error(`${output.toString()} was not computed`);
      return result;
    });
  },
};

/** All of them: a new engine is tested by being listed here. */
export const ENGINES: readonly TestedEngine[] = [
  engine('reference'),
  FAITHFUL,
  engine('onnxruntime'),
  engine('tfjs', 'cpu'),
  // Where it was set up only: it comes from no registry.
  ...(isAvailable('tfjs', 'tensorflow') ? [engine('tfjs', 'tensorflow')] : []),
];

function isAvailable(engineName: string, provider: string): boolean {
  return engineNamed(engineName).providers.some(
    ({ name, unavailable }) => name === provider && unavailable() === undefined,
  );
}

function engine(name: string, provider = 'cpu'): TestedEngine {
  return {
    name: provider === 'cpu' ? name : `${name}/${provider}`,
    async run(inputs, outputs, values) {
      const compiled = await compile({ inputs, outputs, engine: name, provider, threads: 1, onUnusedInput: 'ignore' });
      try {
        return await compiled.run(values);
      } finally {
        await compiled.dispose();
      }
    },
  };
}
