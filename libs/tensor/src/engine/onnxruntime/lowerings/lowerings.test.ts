import { expect, test } from 'vitest';

import { applyOp, compile, defineOp, vector } from '../../../index.js';

test('an op that the table has not is refused by name when the function is compiled', async () => {
  const x = vector('x');
  const foreign = defineOp({
    name: 'foreign',
    inferTypes: (inputs) => inputs.map(({ type }) => type),
    grad: (_node, gradients) => gradients,
    run: (inputs) => inputs,
  });
  const output = applyOp(foreign(), [x]);
  await expect(compile({ inputs: [x], outputs: [output], engine: 'onnxruntime' })).rejects.toThrow(
    'function: the engine onnxruntime cannot run foreign of `x` float32 (null,): engine/onnxruntime/lowerings has no such op',
  );
  await expect(compile({ inputs: [x], outputs: [output], engine: 'reference' })).resolves.toBeDefined();
});
