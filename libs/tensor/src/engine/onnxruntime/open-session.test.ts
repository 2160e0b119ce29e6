import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ndarray } from '@longrun/serialization';
import { expect, onTestFinished, test, vi } from 'vitest';

import {
  add,
  at,
  compile,
  conv2d,
  dot,
  grad,
  mul,
  reshape,
  scan,
  shared,
  sub,
  sum,
  tanh,
  tensor,
  type CompiledFunction,
  type ProgramSource,
  type Variable,
} from '../../index.js';
import { bitsOf } from '../../../test/unfused.js';
import { CompileCache } from '../compile-cache.js';

const SIZE = 8;
const X = ndarray(
  'float32',
  [SIZE, SIZE],
  Float32Array.from({ length: SIZE ** 2 }, (_, position) => Math.sin(position)),
);

interface Options {
  readonly name?: string;
  readonly threads?: number;
  readonly layers?: number;
}

/** A step of training of a network with a convolution, layers and a recurrence: of more nodes than a cache wants. */
async function compiled({ name = 'x', threads = 2, layers = 20 }: Options = {}): Promise<CompiledFunction> {
  const x = tensor(name, 'float32', [SIZE, SIZE]);
  const filters = shared(ndarray('float32', [16, 1, 3, 3], new Float32Array(144).fill(0.1)), 'filters');
  const W = shared(X, 'W');
  let output: Variable = x;
  for (let layer = 0; layer < layers; layer += 1) output = tanh(add(mul(dot(output, W), 0.5), layer / 100));
  const images = conv2d(reshape(output, [1, 1, SIZE, SIZE]), filters);
  const [states] = scan((row, state) => tanh(add(row, mul(state, 0.5))), {
    sequences: [output],
    outputsInfo: [
      at(
        scan((row) => row, { sequences: [x], outputsInfo: [null] }),
        0,
      ),
    ],
  });
  const cost = add(sum(tanh(images)), sum(states ?? x));
  const [gradient] = grad(cost, [W]);
  return await compile({ inputs: [x], outputs: [cost, images], updates: [[W, sub(W, gradient ?? W)]], threads });
}

async function folderFor(cached = true): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'open-session-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  vi.stubEnv('LONGRUN_COMPILE_CACHE', cached ? folder : '');
  onTestFinished(() => void vi.unstubAllEnvs());
  return folder;
}

/** Where it was from, and the bits of all that two steps give. */
async function steps(options?: Options): Promise<{ sources: readonly ProgramSource[]; bits: Uint32Array[] }> {
  const f = await compiled(options);
  const outputs = [...(await f.run([X])), ...(await f.run([X]))];
  const { sources } = f.explain();
  await f.dispose();
  return { sources, bits: outputs.map(({ data }) => bitsOf(data)) };
}

const KEPT = { from: 'compiler', reason: 'it is kept from now on' };

test('what comes from the cache has the bits of what was compiled, and says where it is from', async () => {
  await folderFor(false);
  const plain = await steps();
  expect(plain.sources).toEqual([{ from: 'compiler', reason: 'LONGRUN_COMPILE_CACHE names no folder' }]);
  const folder = await folderFor();
  const [first, second] = [await steps(), await steps()];
  expect(first).toEqual({ sources: [KEPT], bits: plain.bits });
  expect(second).toEqual({ sources: [{ from: 'cache' }], bits: plain.bits });
  const f = await compiled();
  expect(String(f.explain())).toContain('\n  compiled before, and kept since\n');
  expect((await f.profile([X], { runs: 1 })).ops.length).toBeGreaterThan(50);
  const ofEntry: unknown = expect.stringMatching(/^[0-9a-f]{64}\.compiled$/);
  // One of the session, and one of the plan.
  expect(await readdir(folder)).toEqual([ofEntry, ofEntry]);
});

test('another graph, other names and other threads have entries of their own', async () => {
  const folder = await folderFor();
  for (const options of [{}, { layers: 21 }, { name: 'y' }, { threads: 1 }]) {
    expect((await steps(options)).sources).toEqual([KEPT]);
  }
  expect(await readdir(folder)).toHaveLength(2 * 4);
});

test('an entry that ONNX Runtime does not take is made anew', async () => {
  const folder = await folderFor();
  const { bits } = await steps();
  const entries = await readdir(folder);
  const sizes = await Promise.all(entries.map(async (name) => (await stat(path.join(folder, name))).size));
  for (const name of entries) {
    await new CompileCache(folder).keep(path.basename(name, '.compiled'), Buffer.from('of another version'));
  }
  expect(await steps()).toEqual({ sources: [KEPT], bits });
  expect((await steps()).sources).toEqual([{ from: 'cache' }]);
  for (const [position, name] of entries.entries()) {
    await writeFile(path.join(folder, name), String(sizes[position]));
  }
  expect((await steps()).sources).toEqual([KEPT]);
});

test('what is not worth it is not kept, and a folder that cannot be had is no error', async () => {
  const folder = await folderFor();
  const x = tensor('x', 'float32', [SIZE]);
  const small = await compile({ inputs: [x], outputs: [tanh(x)] });
  expect(small.explain().sources).toEqual([{ from: 'compiler', reason: 'it has 1 nodes, of 200 that are worth it' }]);
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  vi.stubEnv('LONGRUN_COMPILE_CACHE', path.join(file, 'below'));
  expect((await steps()).sources).toEqual([{ from: 'compiler', reason: expect.stringContaining('ENOTDIR') }]);
});
