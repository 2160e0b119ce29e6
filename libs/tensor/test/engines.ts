import { ndarray, type NdArray } from '@longrun/serialization';

import { add, compile, constant, engineNamed, type Variable } from '../src/index.js';
import { rewrittenForEngine } from '../src/rewrite/rewrites.js';
import { compileOnHost } from '../src/engine/host-executable.js';

/** An engine that the laws and goldens are run on. */
export interface TestedEngine {
  readonly name: string;
  /** What it says when it has not what a graph needs: goldens that need it are left out. Default nothing. */
  readonly limits?: RegExp;
  /** The widest float that it computes in. Default float64. */
  readonly widest?: 'float32' | 'float64';
  /** Whether it takes denormals of float32 for 0. Default false. */
  readonly flushesDenormals?: boolean;
  /** Whether its division of float32 multiplies by the reciprocal, which is 0 of a divisor beyond 2^126. Default false. */
  readonly flushesReciprocals?: boolean;
  /** Whether it runs a function that is fed something empty in another way, all of it. Default false. */
  readonly setsEmptyApart?: boolean;
  /** Units in the last place that an op of floats may be off, of 1/64 where the value is smaller. Default: those of the golden. */
  readonly approximates?: (op: string) => number;
  /** Compiles `outputs` as a function of `inputs`, runs it once and disposes of it. Unused inputs are allowed. */
  run(inputs: readonly Variable[], outputs: readonly Variable[], values: readonly NdArray[]): Promise<NdArray[]>;
  /** The same, run once for each of `feeds`. */
  runEach(
    inputs: readonly Variable[],
    outputs: readonly Variable[],
    feeds: readonly (readonly NdArray[])[],
  ): Promise<NdArray[][]>;
}

/** How a function of an engine is run, of how it is run for each of several feeds. */
function ways(runEach: TestedEngine['runEach']): Pick<TestedEngine, 'run' | 'runEach'> {
  const run: TestedEngine['run'] = async (inputs, outputs, values) => {
    const [results] = await runEach(inputs, outputs, [values]);
    if (results === undefined) throw new Error('There are no results');
    return results;
  };
  return { run, runEach };
}

/** The reference engine with rounding after each op, as engines that compute in float32 do. */
const FAITHFUL: TestedEngine = {
  name: 'reference, rounding each op',
  ...ways(async (inputs, outputs, feeds) => {
    const stable = rewrittenForEngine(outputs, inputs).outputs;
    const executable = compileOnHost(
      { name: 'function', inputs, outputs: [...new Set(stable)] },
      { rounding: 'each op', on: 'engine' },
    );
    const at = new Map([...new Set(stable)].map((output, position) => [output, position]));
    const found: NdArray[][] = [];
    for (const values of feeds) {
      const results = await Promise.all((await executable.run(values)).map((result) => result.take()));
      const ofOutputs = stable.map((output) => {
        const result = results[at.get(output) ?? -1];
        if (result === undefined) throw new Error(`${output.toString()} was not computed`);
        return result;
      });
      found.push(ofOutputs);
    }
    return found;
  }),
};

/** It computes in float32, int32 and bool, and holds integers of 64 bits as int32. */
const TFJS_LIMITS = /^function: the engine tfjs cannot run .* float64|is beyond what TensorFlow\.js holds/;

const TFJS = { limits: TFJS_LIMITS, widest: 'float32' } as const;

const TENSORFLOW: TestedEngine = { ...engine('tfjs', 'tensorflow'), ...TFJS, flushesDenormals: true };

/** It has no kernels of convolutions for float64. */
const ONNX_RUNTIME_LIMITS = /^function: the engine onnxruntime cannot run conv2d.* float64/;

const WEBGPU: TestedEngine = {
  ...engine('onnxruntime', 'webgpu'),
  limits: ONNX_RUNTIME_LIMITS,
  flushesDenormals: true,
  // WGSL promises quotients by divisors in [2^-126, 2^126] only.
  flushesReciprocals: true,
  setsEmptyApart: true,
  // Its erf is a polynomial that is right to 1.5e-7, which is 80 of these units, times an exponential and of a quotient, for which
  // WGSL allows about 100 each.
  approximates: (op) => (op === 'erf' ? 300 : 128),
};

/** All of them: a new engine is tested by being listed here. */
export const ENGINES: readonly TestedEngine[] = [
  engine('reference'),
  FAITHFUL,
  { ...engine('onnxruntime'), limits: ONNX_RUNTIME_LIMITS },
  { ...engine('tfjs', 'cpu'), ...TFJS },
  // Where it was set up only: it comes from no registry.
  ...(isAvailable('tfjs', 'tensorflow') ? [TENSORFLOW] : []),
  // Where there is a GPU with a driver of Vulkan, or one that does without.
  ...(isAvailable('onnxruntime', 'webgpu') && (await computes(WEBGPU)) ? [WEBGPU] : []),
];

/** For what takes long: the reference computes as the one that rounds each op does, but for the rounding. */
export const WITHOUT_ROUNDING: readonly TestedEngine[] = ENGINES.filter((tested) => tested !== FAITHFUL);

/**
 * What of all that takes long is run on an engine: its share, so that the engines have all together; with `LONGRUN_THOROUGH=1`, each all.
 *
 * @param turn engines take turns with each: another share of the same
 */
export function shareOf<T>(tested: TestedEngine, all: readonly T[], turn = 0): readonly T[] {
  if (process.env['LONGRUN_THOROUGH'] === '1') return all;
  return all.filter((_, at) => (at + turn) % WITHOUT_ROUNDING.length === WITHOUT_ROUNDING.indexOf(tested));
}

function isAvailable(engineName: string, provider: string): boolean {
  return engineNamed(engineName).providers.some(
    (candidate) => candidate.name === provider && candidate.unavailable() === undefined,
  );
}

/** Whether it computes at all: of a device there may be the file alone. */
async function computes(tested: TestedEngine): Promise<boolean> {
  const one = constant(1, 'float32');
  return await tested.run([], [add(one, one)], []).then(
    () => true,
    () => false,
  );
}

function engine(name: string, provider = 'cpu'): TestedEngine {
  return {
    name: provider === 'cpu' ? name : `${name}/${provider}`,
    ...ways(async (inputs, outputs, feeds) => {
      const compiled = await compile({ inputs, outputs, engine: name, provider, threads: 1, onUnusedInput: 'ignore' });
      try {
        const found: NdArray[][] = [];
        for (const values of feeds) found.push(await compiled.run(values));
        return found;
      } finally {
        await compiled.dispose();
      }
    }),
  };
}

/** The value in the widest float that an engine computes in, where it is one of floats. */
export function widest({ widest: float = 'float64' }: TestedEngine, value: NdArray): NdArray {
  if (value.dtype !== 'float64' || float === 'float64') return value;
  return ndarray('float32', value.shape, Float32Array.from(value.data as Float64Array));
}

/** Runs a graph on values made as wide as the engine has them. */
export async function runWidest(
  tested: TestedEngine,
  inputs: readonly Variable[],
  outputs: readonly Variable[],
  values: readonly NdArray[],
): Promise<NdArray[]> {
  return await tested.run(
    inputs,
    outputs,
    values.map((value) => widest(tested, value)),
  );
}

/** Of a graph that needs what the engine says it has not. */
export const BEYOND_LIMITS = Symbol('beyond limits');

/** The outputs, or that they are beyond what the engine has. */
export async function runWithinLimits(
  tested: TestedEngine,
  ...run: Parameters<TestedEngine['run']>
): Promise<NdArray[] | typeof BEYOND_LIMITS> {
  try {
    return await tested.run(...run);
  } catch (error) {
    if (isBeyondLimits(tested, error)) return BEYOND_LIMITS;
    throw error;
  }
}

/** Whether an error says that the engine has not what a graph needs. */
export function isBeyondLimits({ limits }: TestedEngine, error: unknown): boolean {
  return error instanceof Error && limits?.test(error.message) === true;
}
