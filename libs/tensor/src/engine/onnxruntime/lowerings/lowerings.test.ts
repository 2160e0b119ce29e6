import { expect, test } from 'vitest';

import { applyOp, compile, defineOp, scalar } from '../../../index.js';

test('an op that the table has not is refused by name when the function is compiled', async () => {
  const x = scalar('x');
  const foreign = defineOp({
    name: 'foreign',
    inferTypes: (inputs) => inputs.map(({ type }) => type),
    grad: (_node, gradients) => gradients,
    run: (inputs) => inputs,
  });
  const output = applyOp(foreign(), [x]);
  await expect(compile({ inputs: [x], outputs: [output], engine: 'onnxruntime' })).rejects.toThrow(
    'foreign: the engine onnxruntime cannot run this op; add it to engine/onnxruntime/lowerings',
  );
  await expect(compile({ inputs: [x], outputs: [output], engine: 'reference' })).resolves.toBeDefined();
});
