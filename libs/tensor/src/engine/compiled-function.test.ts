import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { add } from '../ops/add.js';
import { mul } from '../ops/mul.js';
import { matrix } from '../graph/creators.js';
import { shared } from '../graph/shared-variable.js';
import { array } from '../../test/op-laws.js';
import { compile } from './compile.js';
import { CompiledFunction } from './compiled-function.js';
import { computeTarget } from './compute-target.js';
import { environment } from './environment.js';
import { Explanation } from './explanation.js';
import type { StoredValue } from './stored-value.js';
import { compileReference } from './reference/reference-engine.js';

const GONE = 'after its last handle was released';

test('the values that a run makes go with it, or with what they became the value of', async () => {
  const [x, kept] = [matrix('x'), shared(ndarray('float32', [1, 2]), 'kept', { shape: [null, 2] })];
  const outputs = [mul(x, 2), mul(x, 3)];
  const executable = await compileReference({ name: 'keep', inputs: [x], outputs }, {});
  let made: readonly StoredValue[] = [];
  const target = computeTarget({ engine: 'reference' });
  const layout = {
    name: 'keep',
    inputs: [x],
    reads: [],
    writes: [{ variable: kept, result: 0 }],
    outputs: [0, 1, 1],
    equalSizes: [],
    environment: environment(target),
    explanation: new Explanation(target, { engineOps: 2, engineCalls: 1, hostOps: [] }),
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
  kept.setValue(ndarray('float32', [2, 2]));
  expect(() => update?.retain()).toThrow(GONE);
});

test('a run that begins as soon as another has updated keeps others away like any', async () => {
  const W = shared(0, 'W');
  const step = await compile({
    name: 'step',
    inputs: [],
    outputs: [W],
    updates: [[W, add(W, 1)]],
    engine: 'reference',
  });
  const isQuiet = (): boolean => {
    try {
      W.assertQuiet('test');
      return true;
    } catch {
      return false;
    }
  };
  const first = step.run([]);
  while (!isQuiet()) await undefined;
  const second = step.run([]);
  await first;

  expect(() => W.setValue(array('float32', [], [9]))).toThrow('setValue while a run of step is updating it');
  await second;
  expect((await W.getValue()).data[0]).toBe(2);
});
