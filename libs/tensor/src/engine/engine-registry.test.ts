import { ndarray } from '@longrun/serialization';
import { expect, onTestFinished, test } from 'vitest';

import {
  availableProviders,
  compile,
  computeTarget,
  describeTarget,
  engineNamed,
  engines,
  EngineUnavailable,
  environment,
  registerEngine,
  scalar,
  square,
  type ComputeTarget,
  type EngineDefinition,
} from '../index.js';

const x = scalar('x');
const three = ndarray('float32', [], Float32Array.of(3));

/** The reference engine under another name, with providers of its own; it notes for which targets it compiled. */
function likeReference(
  name: string,
  changes: Partial<EngineDefinition> = {},
): EngineDefinition & { targets: ComputeTarget[] } {
  const targets: ComputeTarget[] = [];
  return {
    ...engineNamed('reference'),
    name,
    environment: (target) => ({ ...engineNamed('reference').environment(target), engine: name }),
    async compile(graph, target) {
      targets.push(target);
      return engineNamed('reference').compile(graph, target);
    },
    ...changes,
    targets,
  };
}

test('an engine that was registered is found by its name, and is given the target', async () => {
  const engine = likeReference('second-reference', {
    providers: [
      { name: 'missing', hasSeveralDevices: false, unavailable: () => 'it is not plugged in' },
      { name: 'several', hasSeveralDevices: true, unavailable: () => undefined },
    ],
  });
  const unregister = registerEngine(engine);
  onTestFinished(unregister);
  const f = await compile({ inputs: [x], outputs: [square(x)], engine: 'second-reference', device: 1, threads: 3 });
  expect((await f.run([three]))[0]?.data[0]).toBe(9);
  expect(engine.targets).toEqual([{ engine: 'second-reference', provider: 'several', device: 1, threads: 3 }]);
  expect(f.environment).toMatchObject({ engine: 'second-reference', provider: 'several' });
  expect(f.environment).toEqual(environment({ engine: 'second-reference', device: 1, threads: 3 }));
  expect(engines().map(({ name }) => name)).toContain('second-reference');

  expect(computeTarget({ engine: 'second-reference', provider: 'missing' }).provider).toBe('missing');
  const refused = compile({ inputs: [x], outputs: [x], engine: 'second-reference', provider: 'missing' });
  await expect(refused).rejects.toThrow(EngineUnavailable);
  await expect(refused).rejects.toThrow(
    'The provider missing of the engine second-reference cannot be used here: it is not plugged in; use several',
  );

  unregister();
  expect(() => computeTarget({ engine: 'second-reference' })).toThrow(EngineUnavailable);
  expect((await f.run([three]))[0]?.data[0]).toBe(9);
});

test('an engine that cannot be used here says why, and which can', async () => {
  onTestFinished(registerEngine(likeReference('elsewhere', { unavailable: () => 'its library is not installed' })));
  await expect(compile({ inputs: [x], outputs: [x], engine: 'elsewhere' })).rejects.toThrow(
    /^The engine elsewhere cannot be used here: its library is not installed; use onnxruntime or tfjs or reference/,
  );
  expect(() => computeTarget({ engine: 'nowhere' })).toThrow(/elsewhere \(not here: its library is not installed\)/);
});

test('a target is described with what its engine prefers to it and has not here', () => {
  const missing = { name: 'missing', hasSeveralDevices: false, unavailable: () => 'it is not plugged in' };
  const fast = { name: 'fast', hasSeveralDevices: false, unavailable: () => undefined };
  const slow = { name: 'slow', hasSeveralDevices: false, unavailable: () => undefined };
  const last = { name: 'last', hasSeveralDevices: false, unavailable: () => 'it is broken' };
  onTestFinished(registerEngine(likeReference('several', { providers: [missing, fast, slow, last] })));
  const described = (provider?: string): string => describeTarget(computeTarget({ engine: 'several', provider }));
  expect(described()).toBe('several/fast (not missing: it is not plugged in)');
  expect(described('slow')).toBe('several/slow (not missing: it is not plugged in)');
  expect(described('missing')).toBe('several/missing');
  expect(describeTarget(computeTarget())).toBe('onnxruntime/cpu');
});

test('what can be used here is told by engine, without those of which nothing can be', () => {
  const present = { name: 'present', hasSeveralDevices: false, unavailable: () => undefined };
  const missing = { name: 'missing', hasSeveralDevices: false, unavailable: () => 'it is not plugged in' };
  for (const engine of [
    likeReference('some', { providers: [missing, present] }),
    likeReference('none', { providers: [missing] }),
    likeReference('elsewhere', { providers: [present], unavailable: () => 'its library is not installed' }),
  ])
    onTestFinished(registerEngine(engine));
  const available = availableProviders();
  expect(available).toMatchObject({ reference: ['cpu'], some: ['present'] });
  expect(available['onnxruntime']).toContain('cpu');
  expect(Object.keys(available)).not.toContain('none');
  expect(Object.keys(available)).not.toContain('elsewhere');
});

test('a name that is taken or is none, and an engine without providers, are refused', () => {
  expect(() => registerEngine(likeReference('reference'))).toThrow('There is an engine reference already');
  expect(() => registerEngine(likeReference('Mine 2'))).toThrow('Engine name "Mine 2" is not in lower case letters');
  expect(() => registerEngine(likeReference('bare', { providers: [] }))).toThrow('Engine bare has no providers');
});

test('what takes a name that was given up keeps it, though the one before is given up again', () => {
  const unregister = registerEngine(likeReference('mine'));
  unregister();
  const next = likeReference('mine');
  onTestFinished(registerEngine(next));
  unregister();
  expect(engineNamed('mine')).toBe(next);
});

test('the providers of ONNX Runtime are data: each says why it cannot be used', async () => {
  const { providers } = engineNamed('onnxruntime');
  expect(providers.map(({ name }) => name)).toEqual(['cpu', 'webgpu', 'cuda']);
  for (const provider of providers) {
    const why = provider.unavailable();
    if (why === undefined) continue;
    await expect(compile({ inputs: [x], outputs: [x], provider: provider.name })).rejects.toThrow(why);
  }
});
