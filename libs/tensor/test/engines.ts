import type { NdArray } from '@longrun/serialization';

import { compile, type EngineName, type Variable } from '../src/index.js';
import { stableForms } from '../src/rewrite/stable-forms.js';
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
    const stable = stableForms(outputs, inputs);
    const executable = await compileReference(
      { name: 'function', inputs, outputs: [...new Set(stable)] },
      { threads: 1, rounding: 'each op' },
    );
    const results = await executable.run(values);
    const at = new Map([...new Set(stable)].map((output, position) => [output, position]));
    return stable.map((output) => {
      const result = results[at.get(output) ?? -1];
      if (result === undefined) throw new Error(`${output.toString()} was not computed`);
      return result;
    });
  },
};

/** All of them: a new engine is tested by being listed here. */
export const ENGINES: readonly TestedEngine[] = [engine('reference'), FAITHFUL, engine('onnxruntime')];

function engine(name: EngineName): TestedEngine {
  return {
    name,
    async run(inputs, outputs, values) {
      const compiled = await compile({ inputs, outputs, engine: name, threads: 1, onUnusedInput: 'ignore' });
      try {
        return await compiled.run(values);
      } finally {
        await compiled.dispose();
      }
    },
  };
}
