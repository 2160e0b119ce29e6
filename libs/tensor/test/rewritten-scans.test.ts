import { isFloat, add, grad, square, sum, tensor } from '../src/index.js';
import { expect, test } from 'vitest';

import { SAME_BITS } from '../src/rewrite/rewrites.js';
import { rewritten } from '../src/rewrite/rewritten.js';
import { STABLE_FORMS } from '../src/rewrite/stable-forms.js';
import { valuesOf } from './golden/random-graphs.js';
import { inputsOf, SCAN_GRAPHS } from './golden/scan-goldens.js';
import { present } from './op-laws.js';
import { expectSameValues } from './rewrite-tester.js';

/** How many graphs are run as one function, and of how many one is. */
const [AT_ONCE, SHARE] = [6, process.env['LONGRUN_THOROUGH'] === '1' ? 1 : 3];

test('what keeps bits keeps those of random scans and their gradients, on both engines', async () => {
  const trials = SCAN_GRAPHS.map((graph, position) => {
    const values = inputsOf(position);
    const inputs = values.map(({ dtype }, k) => tensor(`input${k}`, dtype, present(graph.shapes[k])));
    const all = valuesOf(graph.nodes, inputs);
    const costs = graph.costs.map((cost) => sum(square(present(all[cost]))));
    const floats = inputs.filter(({ dtype }) => isFloat(dtype));
    const gradients = grad(
      costs.reduce((a, b) => add(a, b)),
      floats,
      { disconnectedInputs: 'zero' },
    );
    return { inputs, values, outputs: [...graph.outputs.map((output) => present(all[output])), ...gradients] };
  }).filter((_, position) => (position + 2) % SHARE === 0);
  let fired = 0;
  for (let start = 0; start < trials.length; start += AT_ONCE) {
    const some = trials.slice(start, start + AT_ONCE);
    const inputs = some.flatMap((trial) => trial.inputs);
    const outputs = some.flatMap((trial) => trial.outputs);
    const stable = rewritten(outputs, { inputs, stages: [STABLE_FORMS] }).outputs;
    const { outputs: after, history } = rewritten(stable, { inputs, stages: [SAME_BITS] });
    fired += [...history.fired.values()].reduce((total, count) => total + count, 0);
    await expectSameValues(
      inputs,
      stable,
      after,
      some.flatMap(({ values }) => values),
    );
  }
  expect(fired).toBeGreaterThan(100);
});
