import { RandomStreams } from '@longrun/serialization';
import { matrix, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { evaluate } from '../../../test/evaluate.js';
import { float32 } from '../../../test/tiny-experiment.js';
import { ComputationGraph } from '../../graph/computation-graph.js';
import { Constant } from '../../initialization/constant.js';
import { IdentityMatrix } from '../../initialization/identity-matrix.js';
import { Bias } from '../bias.js';
import type { Brick } from '../brick.js';
import { Linear } from '../linear.js';
import { MLP } from '../mlp.js';
import { Distribute } from './distribute.js';
import { Fork } from './fork.js';
import { Merge } from './merge.js';
import { Parallel } from './parallel.js';

const init = { weightsInit: new Constant(1), biasesInit: new Constant(0.5) };
const [x, y] = [matrix('x'), matrix('y')];
const given = [
  [x, float32([1, 2], [1, 2])],
  [y, float32([1, 3], [10, 20, 30])],
] as const;

async function values(result: Readonly<Record<string, Variable>>): Promise<Record<string, number[]>> {
  const found = Object.entries(result).map(async ([name, variable]) => {
    const { inputs } = new ComputationGraph(variable);
    const used = given.filter(([input]) => inputs.includes(input));
    return [name, await evaluate(variable, used)] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

function paths(brick: Brick): string[] {
  return brick.children.map((child) => child.uniquePath);
}

describe('Parallel (1.9-37)', () => {
  test('has a copy of its prototype for each input, by name', async () => {
    const brick = new Parallel({
      inputNames: ['x', 'y'],
      inputDims: [2, 3],
      outputDims: [1, 2],
      prototype: new Linear(),
      ...init,
    });
    brick.initialize(new RandomStreams(1));

    expect(await values(brick.apply({ y, x }))).toEqual({ x: [3.5], y: [60.5, 60.5] });
    expect(paths(brick)).toEqual(['/parallel/transform_x', '/parallel/transform_y']);
    expect(Object.values(brick.apply({ x, y })).map((output) => output.name)).toEqual([
      'parallel_apply_x',
      'parallel_apply_y',
    ]);
    expect(brick.getDims(['x', 'y'])).toEqual([2, 3]);
    expect(paths(new Parallel({ inputNames: ['a'], prototype: new Linear(), childPrefix: 'part' }))).toEqual([
      '/parallel/part_a',
    ]);
  });

  test('says which size or input is missing', () => {
    const brick = new Parallel({ inputNames: ['x', 'y'], inputDims: [2, undefined], prototype: new Linear() });

    expect(() => brick.allocate()).toThrow(
      '/parallel: allocation config not set: inputDims[1], outputDims[0], outputDims[1]',
    );
    expect(() => new Parallel({ inputNames: ['x'], inputDims: [2, 3], prototype: new Linear() })).toThrow(
      '/parallel: inputDims has 2 entries but there are 1 names; give one for each',
    );
    const whole = new Parallel({
      inputNames: ['x', 'y'],
      inputDims: [2, 3],
      outputDims: [1, 1],
      prototype: new Linear(),
    });
    expect(() => whole.application('apply').call([{ x }])).toThrow(
      '/parallel.apply is not given y; call it with { x, y }',
    );
  });
});

describe('Fork (1.9-38)', () => {
  test('makes several outputs of one input', async () => {
    const fork = new Fork({ outputNames: ['inputs', 'gates'], inputDim: 2, outputDims: [1, 2], ...init });
    fork.initialize(new RandomStreams(1));
    const { inputs, gates } = fork.apply(x);

    expect(await values({ inputs, gates })).toEqual({ inputs: [3.5], gates: [3.5, 3.5] });
    expect(paths(fork)).toEqual(['/fork/fork_inputs', '/fork/fork_gates']);
    expect(fork.getDims(['input', 'inputs', 'gates'])).toEqual([2, 1, 2]);
  });

  test('by copies of what it is told, and is copied itself', () => {
    const prototype = new MLP([null], { name: 'deep' });
    const twin = new Fork({ outputNames: ['a', 'b'], inputDim: 2, outputDims: [3, 4], prototype }).copy('twin');
    twin.allocate();

    expect(twin.children.map((child) => [child.uniquePath, child instanceof MLP])).toEqual([
      ['/twin/fork_a', true],
      ['/twin/fork_b', true],
    ]);
    expect(twin.children.map((child) => child.children[0]?.parameterNamed('W').shape)).toEqual([
      [2, 3],
      [2, 4],
    ]);
  });
});

test('Merge adds up what it makes of its inputs, without biases (1.9-40)', async () => {
  const merge = new Merge({ inputNames: ['x', 'y'], inputDims: [2, 3], outputDim: 2, ...init });
  merge.initialize(new RandomStreams(1));
  const output = merge.apply({ x, y });

  expect(await evaluate(output, given)).toEqual([63, 63]);
  expect([output.name, merge.getDim('output'), merge.getDim('y')]).toEqual(['merge_apply_output', 2, 3]);
  expect(merge.children.flatMap((child) => child.parameters.map(String))).toEqual(['W', 'W']);
});

test('Distribute adds what it makes of a source to each of its targets (1.9-39)', async () => {
  const distribute = new Distribute({
    targetNames: ['x', 'z'],
    sourceName: 'y',
    targetDims: [2, 3],
    sourceDim: 3,
    weightsInit: new IdentityMatrix(),
  });
  distribute.initialize(new RandomStreams(1));

  expect(await values(distribute.apply({ x, z: y, y }))).toEqual({ x: [11, 22], z: [20, 40, 60] });
  expect([distribute.application('apply').inputs, paths(distribute)]).toEqual([
    ['y', 'x', 'z'],
    ['/distribute/fork_x', '/distribute/fork_z'],
  ]);
  expect(() => distribute.application('apply').call([{ x, z: y }])).toThrow('/distribute.apply is not given y');
  expect(() => distribute.application('apply').call([{ x, y }])).toThrow('/distribute.apply is not given z');
});

test('a prototype may be any feedforward brick', () => {
  expect(paths(new Merge({ inputNames: ['x'], prototype: new Bias() }))).toEqual(['/merge/transform_x']);
});
