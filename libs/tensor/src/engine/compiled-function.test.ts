import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { mul } from '../ops/mul.js';
import { matrix } from '../graph/creators.js';
import { shared } from '../graph/shared-variable.js';
import { array } from '../../test/op-laws.js';
import { RewriteHistory } from '../rewrite/history.js';
import { CompiledFunction } from './compiled-function.js';
import { computeTarget } from './compute-target.js';
import { engineNamed } from './engine-registry.js';
import { Explanation } from './explanation.js';
import type { StoredValue } from './stored-value.js';
import { compileOnHost } from './host-executable.js';

const GONE = 'after its last handle was released';

test('the values that a run makes go with it, or with what they became the value of', async () => {
  const [x, kept] = [matrix('x'), shared(ndarray('float32', [1, 2]), 'kept', { shape: [null, 2] })];
  const outputs = [mul(x, 2), mul(x, 3)];
  const executable = compileOnHost({ name: 'keep', inputs: [x], outputs }, { rounding: 'results', on: 'engine' });
  const target = computeTarget({ engine: 'reference' });
  let made: readonly StoredValue[] = [];
  let failure: Error | undefined;
  const callback = (): void => {
    if (failure !== undefined) throw failure;
  };
  const layout = {
    name: 'keep',
    inputs: [x],
    reads: [],
    writes: [{ variable: kept, result: 0 }],
    outputs: [0, 1, 1],
    watches: [{ results: [0, 1], callback }],
    equalSizes: [],
    sizesByName: new Map<string, never>(),
    environment: engineNamed('reference').environment(target),
    explanation: new Explanation(
      target,
      () => ({
        engineOps: 2,
        engineCalls: 1,
        hostOps: [],
        kernels: [],
        unfused: [],
        rewriting: new RewriteHistory(),
        constantBytes: 8,
      }),
      { plan: { from: 'compiler' }, sources: [], stateBytes: 8 },
    ),
  };
  const keep = new CompiledFunction(layout, {
    ...executable,
    run: async (inputs) => (made = await executable.run(inputs)),
  });

  await keep.run([array('float32', [1, 2], [1, 2])]);
  const [update, output] = made;
  expect(await update?.read()).toEqual(array('float32', [1, 2], [2, 4]));
  expect(() => output?.retain()).toThrow(GONE);

  made = [];
  await expect(keep.run([ndarray('float32', [1, 3])])).rejects.toThrow('keep: the update of shared variable `kept`');
  expect(made).toHaveLength(2);
  for (const value of made) expect(() => value.retain()).toThrow(GONE);
  expect(await kept.getValue()).toEqual(array('float32', [1, 2], [2, 4]));

  failure = new Error('it is not finite');
  await expect(keep.run([ndarray('float32', [1, 2])])).rejects.toBe(failure);
  expect(made).toHaveLength(2);
  for (const value of made) expect(() => value.retain()).toThrow(GONE);
  expect(await kept.getValue()).toEqual(array('float32', [1, 2], [2, 4]));
  kept.setValue(ndarray('float32', [2, 2]));
  expect(() => update?.retain()).toThrow(GONE);
});
