import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

import { decodeSafetensors, ndarray, type NdArray } from '@longrun/serialization';
import { expect, onTestFinished, test, vi } from 'vitest';

import { following } from '../../test/following.js';
import { NETWORKS } from '../../test/golden/networks.js';
import { valuesOf, type OpNode } from '../../test/golden/random-graphs.js';
import { limitedEngine } from '../../test/limited-engine.js';
import { numbers } from '../../test/mlp.js';
import { array, present } from '../../test/op-laws.js';
import {
  add,
  Apply,
  compile,
  constant,
  defineOp,
  DISCONNECTED,
  dot,
  gelu,
  grad,
  madeFor,
  mean,
  mul,
  pick,
  printSum,
  shared,
  square,
  sub,
  sum,
  take,
  tanh,
  tap,
  tensor,
  withFloatX,
  type CompiledFunction,
  type CompileOptions,
  type SharedVariable,
  type Variable,
} from '../index.js';
import { CompileCache } from './compile-cache.js';

/** What is compiled, with what it is run on. Built anew each time. */
interface Built {
  readonly options: CompileOptions;
  readonly values: readonly NdArray[];
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kept-plan-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

async function withCache<T>(folder: string, body: () => Promise<T>): Promise<T> {
  vi.stubEnv('LONGRUN_COMPILE_CACHE', folder);
  try {
    return await body();
  } finally {
    vi.unstubAllEnvs();
  }
}

/** `x`, once so much was done to it that it is worth to be kept. */
function long(x: Variable): Variable {
  let output = x;
  for (let layer = 0; layer < 16; layer += 1) output = tanh(add(mul(output, 0.9), layer / 10));
  return output;
}

const KEPT = { from: 'compiler', reason: 'it is kept from now on' };
const FOUND = { from: 'cache' };

/** The bytes of all that a few steps give and write. */
async function steps({ options, values }: Built): Promise<{ plan: unknown; bytes: Buffer[]; words: string }> {
  const f = await compile(options);
  const bytes: Buffer[] = [];
  const keep = ({ data }: NdArray): void => void bytes.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  for (let step = 0; step < 3; step += 1) for (const output of await f.run(values)) keep(output);
  for (const [variable] of options.updates ?? []) keep(await variable.getValue());
  const { plan } = f.explain();
  const words = wordsOf(f);
  await f.dispose();
  return { plan, bytes, words };
}

/** What a function says of itself, but for where it is from. */
function wordsOf(f: CompiledFunction): string {
  const lines = String(f.explain()).split('\n');
  const { fused, unfused, rewritings, hostOps, engineOps, engineCalls, constantBytes, stateBytes } = f.explain();
  const facts = { fused, unfused, rewritings, hostOps, engineOps, engineCalls, constantBytes, stateBytes };
  return [...lines.filter((line) => !/^ {2}(compiled|planned) /.test(line)), JSON.stringify(facts)].join('\n');
}

/** Without a cache, with one that has nothing, and from it. */
async function three(build: () => Built): Promise<void> {
  const folder = await newFolder();
  const plain = await withCache('', () => steps(build()));
  expect(plain.plan).toEqual({ from: 'compiler', reason: 'LONGRUN_COMPILE_CACHE names no folder' });
  expect(await withCache(folder, () => steps(build()))).toEqual({ ...plain, plan: KEPT });
  expect(await withCache(folder, () => steps(build()))).toEqual({ ...plain, plan: FOUND });
}

const dags = decodeSafetensors(readFileSync(new URL('../../test/golden/dags.safetensors', import.meta.url)));
const graphs: readonly { readonly inputs: number; readonly nodes: readonly OpNode[] }[] = JSON.parse(
  present(dags.metadata['graphs']),
);

test(
  'random graphs and their gradients have the same bits from the cache as without one',
  { timeout: 120_000 },
  async () => {
    for (const [position, graph] of graphs.slice(0, 30).entries()) {
      await three(() => {
        const fed = Array.from({ length: graph.inputs }, (_, k) => {
          const { shape, data } = present(dags.tensors.get(`${position}.input.${k}`));
          return array('float32', shape, Array.from(data, Number));
        });
        const inputs = fed.map(({ shape }, k) => tensor(`input${k}`, 'float32', shape));
        const values = valuesOf(graph.nodes, inputs);
        const cost = values
          .slice(inputs.length)
          .map((value) => mean(value))
          .reduce((a, b) => add(a, b));
        const gradients = grad(cost, inputs, { disconnectedInputs: 'zero' });
        return { options: { inputs, outputs: [cost, ...gradients], onUnusedInput: 'ignore' }, values: fed };
      });
    }
  },
);

const training = decodeSafetensors(readFileSync(new URL('../../test/golden/training.safetensors', import.meta.url)));

test.each(Object.entries(NETWORKS))('steps of training of a network have the same bits: %s', async (name, cost) => {
  await three(() => {
    const named = (kind: string): [string, NdArray][] =>
      [...training.tensors].flatMap(([key, stored]) => {
        const prefix = `${name}.${kind}.`;
        if (!key.startsWith(prefix)) return [];
        const isFloat = stored.dtype === 'float64';
        const value = isFloat ? array('float32', stored.shape, Array.from(stored.data, Number)) : stored;
        return [[key.slice(prefix.length), value]];
      });
    const inputs = new Map(
      named('input').map(([key, value]) => [key, { value, variable: tensor(key, value.dtype, value.shape) }]),
    );
    const parameters = new Map(named('parameter').map(([key, value]) => [key, shared(value, key)]));
    const loss = cost(
      (key) => present(inputs.get(key)).variable,
      (key) => present(parameters.get(key)),
    );
    const all = [...parameters.values()];
    const updates = grad(loss, all).flatMap((gradient, at): [SharedVariable, Variable][] => {
      const [parameter, velocity] = [
        present(all[at]),
        shared(ndarray('float32', present(all[at]).shape.map(Number)), 'v'),
      ];
      const faster = add(mul(velocity, 0.9), mul(gradient, 0.1));
      return [
        [velocity, faster],
        [parameter, sub(parameter, faster)],
      ];
    });
    const fed = [...inputs.values()];
    const options = { inputs: fed.map(({ variable }) => variable), outputs: [loss], updates };
    return { options, values: fed.map(({ value }) => value) };
  });
});

/** A table of which rows are looked up, and what trains it: a kernel that changes rows alone. */
function trainedTable(): Built {
  const table = shared(array('float32', [50, 16], numbers(800, 3)), 'table');
  const weights = shared(array('float32', [16, 16], numbers(256, 5)), 'weights');
  const words = tensor('words', 'int64', ['rows']);
  const cost = mean(square(sub(dot(long(take(table, words, { axis: 0 })), weights), 1)));
  const [gradient] = grad(cost, [table]);
  return {
    options: { inputs: [words], outputs: [cost], updates: [[table, sub(table, mul(present(gradient), 0.1))]] },
    values: [array('int64', [5], [3, 1, 3, -1, 7])],
  };
}

test(
  'kernels of updates are the same, those of rows too, and updates without an engine',
  { timeout: 60_000 },
  async () => {
    await three(trainedTable);
    await three(() => ({ options: { inputs: [], outputs: [], updates: following(long).updates }, values: [] }));
    await three(() => {
      const state = shared(array('float32', [300], numbers(300, 1)), 'state');
      let next: Variable = state;
      for (let step = 0; step < 40; step += 1) next = mul(next, 0.9);
      return { options: { inputs: [], outputs: [], updates: [[state, next]] }, values: [] };
    });
  },
);

test('results that are inputs, constants or computed twice are what they were', async () => {
  await three(() => {
    const [x, W] = [tensor('x', 'float32', [3]), shared(array('float32', [3], [1, 2, 3]), 'W')];
    const y = long(x);
    const outputs = [x, y, constant(array('float32', [2], [5, 6])), y, W, long(x)];
    return { options: { inputs: [x], outputs, updates: [[W, x]] }, values: [array('float32', [3], [4, 5, 6])] };
  });
});

test('who watches is told the same, and is who asked last', async () => {
  const folder = await newFolder();
  const told = async (): Promise<unknown[]> => {
    const heard: unknown[] = [];
    const x = tensor('x', 'float32', [2]);
    const y = tap(long(x), (value) => void heard.push(value));
    const z = printSum(mul(y, 2), { print: (line) => void heard.push(line) });
    const f = await compile({ inputs: [x], outputs: [square(z)] });
    await f.run([array('float32', [2], [1, 2])]);
    return [...heard, f.explain().plan.from];
  };
  const [first, second] = await withCache(folder, async () => [await told(), await told()]);
  expect(first).toHaveLength(3);
  expect(second).toEqual([...present(first).slice(0, -1), 'cache']);
});

/** What is thrown where a function is run on what it does not take, or on what an op refuses. */
async function errorsOf(): Promise<string[]> {
  const [x, y] = [tensor('x', 'float32', ['n', null]), tensor('y', 'float32', [null, 3])];
  const labels = tensor('labels', 'int64', ['n']);
  const W = shared(array('float32', [3, 3], numbers(9, 2)), 'W', { shape: [null, 3] });
  const output = pick(dot(long(add(x, y)), W), labels);
  const f = await compile({
    name: 'refusing',
    inputs: [x, y, labels],
    outputs: [output],
    updates: [[W, tanh(add(x, y))]],
  });
  const [ones, two] = [array('float32', [2, 3], [1, 1, 1, 1, 1, 1]), array('int64', [2], [0, 2])];
  const wrong: readonly (readonly NdArray[])[] = [
    [ones],
    [two, ones, two],
    [ones, ones, array('int64', [3], [0, 1, 2])],
    [ones, array('float32', [5, 3], numbers(15, 1)), two],
    [ones, ones, array('int64', [2], [0, 7])],
  ];
  const messages: string[] = [f.explain().plan.from];
  for (const values of wrong) {
    const error: unknown = await f.run(values).catch((thrown: unknown) => thrown);
    messages.push(`${(error as Error).constructor.name}: ${(error as Error).message}`);
  }
  return messages;
}

test('errors are the same, with the places in the program, as is what ops take', async () => {
  const folder = await newFolder();
  await withCache(folder, async () => {
    const [first, second] = [await errorsOf(), await errorsOf()];
    expect(new Set(first).size).toBe(6);
    expect(first.join()).toContain('label 7 is not one of 3 classes');
    expect(second).toEqual(['cache', ...first.slice(1)]);
    const ops = async (): Promise<unknown[]> => {
      const { options, values } = trainedTable();
      const f = await compile(options);
      const profile = await f.profile(values, { runs: 1 });
      return profile.ops.map(({ op, part, kernels, on }) => [op, part, kernels, on].join()).toSorted();
    };
    expect(await ops()).toEqual(await ops());
  });
});

test('a graph that is refused is refused beside one that is kept', async () => {
  await withCache(await newFolder(), async () => {
    const [x, y] = [tensor('x', 'float32', [2]), tensor('y', 'float32', [2])];
    const ignoring = { inputs: [x, y], outputs: [long(x)], onUnusedInput: 'ignore' } as const;
    expect((await compile(ignoring)).explain().plan).toEqual(KEPT);
    expect((await compile(ignoring)).explain().plan).toEqual(FOUND);
    await expect(compile({ ...ignoring, onUnusedInput: 'raise' })).rejects.toThrow('no output depends on `y`');
    await expect(compile({ ...ignoring, inputs: [y] })).rejects.toThrow('the outputs depend on `x`');
    await expect(compile({ ...ignoring, inputs: [x, x, y] })).rejects.toThrow('listed twice');
  });
});

test('other threads, names, rewrites and floats have plans of their own', async () => {
  await withCache(await newFolder(), async () => {
    const planOf = async (options: Partial<CompileOptions> = {}): Promise<unknown> => {
      const x = tensor('x', 'float32', [2]);
      return (await compile({ inputs: [x], outputs: [gelu(long(x))], ...options })).explain().plan;
    };
    expect(await planOf()).toEqual(KEPT);
    for (const options of [{ threads: 1 }, { name: 'g' }, { rewrites: ['liftProducts'] as const }]) {
      expect(await planOf(options)).toEqual(KEPT);
      expect(await planOf(options)).toEqual(FOUND);
    }
    let inFloat64: Promise<unknown> | undefined;
    withFloatX('float64', () => void (inFloat64 = planOf()));
    expect(await inFloat64).toEqual(KEPT);
    expect(await planOf()).toEqual(FOUND);
  });
});

test('what is not this library alone, or not for its engine on the processor, is not kept, and says why', async () => {
  const folder = await newFolder();
  await withCache(folder, async () => {
    const x = tensor('x', 'float32', [2]);
    const reasonOf = async (output: Variable, options: Partial<CompileOptions> = {}): Promise<string | undefined> =>
      (await compile({ inputs: [x], outputs: [output], ...options })).explain().plan.reason;
    const twice = defineOp({
      name: 'mul',
      inferTypes: ([input]) => [present(input).type],
      grad: () => [DISCONNECTED],
      run: ([input]) => [present(input)],
    });
    const [own] = new Apply(twice(), [long(x), x]).outputs;
    expect(await reasonOf(present(own))).toBe('mul is an op of the program, of which it is not known what it does');
    expect(await reasonOf(tanh(x), { engine: 'reference' })).toMatch(
      /^what is planned for reference on .* cannot be kept$/,
    );
    expect(await reasonOf(tanh(x), { engine: limitedEngine({}) })).toContain('cannot be kept');
    const large = constant(ndarray('float32', [2 ** 22 + 1]));
    expect(await reasonOf(add(long(x), sum(large)))).toBe('its constants take more than 16777216 bytes');
    expect(await reasonOf(tanh(x))).toBe('it has 1 applications, of 32 that are worth it');
    expect(await readdir(folder)).toEqual([]);
  });
});

test('a graph that changes while it is compiled is not kept', async () => {
  const folder = await newFolder();
  await withCache(folder, async () => {
    const x = tensor('x', 'float32', [2]);
    let asked = 0;
    const output = madeFor(
      () => `/renamed ${(asked += 1)} times`,
      () => long(x),
    );
    const { plan } = (await compile({ inputs: [x], outputs: [output] })).explain();
    expect(plan.reason).toBe('its graph was changed while it was compiled');
    expect(await readdir(folder)).toEqual([]);
  });
});

test('an entry that is damaged, or is no plan, is made anew', async () => {
  const folder = await newFolder();
  await withCache(folder, async () => {
    const { plan, ...kept } = await steps(trainedTable());
    expect(plan).toEqual(KEPT);
    const [name = ''] = await readdir(folder);
    const key = path.basename(name, '.compiled');
    const cache = new CompileCache(folder);
    const whole = present(await cache.find(key));
    const changed = Buffer.from(whole.toString().replace('"reads":[', '"reads":[9,'));
    for (const bytes of [Buffer.from('no plan'), whole.subarray(0, 100), changed]) {
      expect(await cache.keep(key, bytes)).toBeUndefined();
      expect(await steps(trainedTable())).toEqual({ ...kept, plan: KEPT });
      expect(await steps(trainedTable())).toEqual({ ...kept, plan: FOUND });
    }
  });
});

test(
  'processes that compile at once end with the same, and another one goes on from what they kept',
  { timeout: 60_000 },
  async () => {
    const folder = await newFolder();
    const program = `
    import { compile, mul, shared, sub, tanh, tensor } from '@longrun/tensor';
    const x = tensor('x', 'float32', [2]);
    const W = shared({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }, 'W');
    let y = x;
    for (let layer = 0; layer < 20; layer += 1) y = tanh(mul(y, W));
    const f = await compile({ inputs: [x], outputs: [y], updates: [[W, sub(W, x)]] });
    const run = async () => (await f.run([{ dtype: 'float32', shape: [2], data: Float32Array.of(0.5, 0.25) }]))[0].data;
    console.log(JSON.stringify([f.explain().plan.from, [...await run()], [...await run()]]));`;
    const child = async (): Promise<readonly unknown[]> => {
      const options = {
        cwd: path.join(import.meta.dirname, '..', '..'),
        env: { ...process.env, LONGRUN_COMPILE_CACHE: folder },
      };
      const started = spawn(process.execPath, ['--input-type=module', '-e', program], {
        ...options,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      onTestFinished(() => void started.kill('SIGKILL'));
      const [said] = await Promise.all([text(started.stdout), once(started, 'close')]);
      const found: readonly unknown[] = JSON.parse(said);
      return found;
    };
    const [first, second] = await Promise.all([child(), child()]);
    const third = await child();
    expect(third[0]).toBe('cache');
    expect([first?.slice(1), second?.slice(1)]).toEqual([third.slice(1), third.slice(1)]);
    expect(await readdir(folder)).toHaveLength(1);
  },
);
