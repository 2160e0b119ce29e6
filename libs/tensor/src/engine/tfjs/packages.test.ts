import { expect, test } from 'vitest';

import { compile, computeTarget, engineNamed, environment, scalar, square } from '../../index.js';
import { PROVIDERS, tfjsProvider, whyUnavailable } from './packages.js';

test('the fastest provider that this machine has is taken where none is named, and plain JavaScript is always there', () => {
  expect(engineNamed('tfjs').providers.map(({ name }) => name)).toEqual(['cuda', 'tensorflow', 'cpu']);
  expect(whyUnavailable('cpu')).toBeUndefined();
  const first = PROVIDERS.find((provider) => whyUnavailable(provider) === undefined);
  expect(computeTarget({ engine: 'tfjs' }).provider).toBe(first);
});

test('a provider that this machine has not is refused, with the package that it lacks', async () => {
  const x = scalar('x');
  for (const provider of PROVIDERS) {
    const why = whyUnavailable(provider);
    if (why === undefined) continue;
    expect(why).toMatch(/@tensorflow\/tfjs-node|NVIDIA/);
    await expect(compile({ inputs: [x], outputs: [square(x)], engine: 'tfjs', provider })).rejects.toThrow(why);
  }
  expect(() => tfjsProvider('webgl')).toThrow('TensorFlow.js has no provider webgl; there are cuda, tensorflow, cpu');
});

test('Node 23 and later have no native TensorFlow, whatever is installed', () => {
  for (const node of ['23.0.0', '24.11.1']) {
    expect(whyUnavailable('cuda', node)).toBe(
      `@tensorflow/tfjs-node-gpu runs on Node 22 and older, and this is ${node}`,
    );
    expect(whyUnavailable('tensorflow', node)).toBe(
      `@tensorflow/tfjs-node runs on Node 22 and older, and this is ${node}`,
    );
    expect(whyUnavailable('cpu', node)).toBeUndefined();
  }
  expect(whyUnavailable('tensorflow', '22.12.0') ?? '').not.toContain('Node');
});

test('the numeric environment says which package computes, and that JavaScript has one thread', () => {
  const here = environment({ engine: 'tfjs', provider: 'cpu', threads: 4 });
  expect(here).toMatchObject({ engine: 'tfjs', provider: 'cpu', threads: 1 });
  expect(here.engineVersion).toMatch(/^\d+\.\d+\.\d+$/);
});
