import { expect, test } from 'vitest';

import { compile, conv2d, grad, square, sum, tensor, type Variable } from '../../../index.js';
import { array, present, shownType, spread } from '../../../../test/op-laws.js';
import { misfit } from '../../../../test/ulps.js';

const FILTERS = [7, 2, 2, 3];

test.each([
  { what: 'as they are', options: {}, batch: 16, isGathered: true },
  { what: 'with strides', options: { strides: [2, 1] }, batch: 16, isGathered: true },
  { what: 'with dilation', options: { dilation: [1, 2] }, batch: 17, isGathered: true },
  { what: 'of rows that no window reaches', options: { strides: 3 }, batch: 16, isGathered: true },
  { what: 'with a border', options: { border: 1 }, batch: 16, isGathered: false },
  { what: 'of few images', options: {}, batch: 15, isGathered: false },
] as const)('the gradient of filters $what is what it should be', async ({ options, batch, isGathered }) => {
  const values = [spread([batch, 2, 5, 8], -1, 1), spread(FILTERS, -1, 1, 1)].map(({ shape, data }) =>
    array('float32', shape, [...data].map(Number)),
  );
  const [images, filters] = values.map(({ dtype, shape }, position) => tensor(`input${position}`, dtype, shape));
  const output = conv2d(present(images), present(filters), { ...options, flipFilters: false });
  const inputs = [present(images), present(filters)];
  const outputs = grad(sum(square(output)), [present(filters)]);

  const [expected] = await (await compiled(inputs, outputs, 'reference')).run(values);
  const onEngine = await compiled(inputs, outputs, 'onnxruntime');
  const [actual] = await onEngine.run(values);
  const { ops } = await onEngine.profile(values);
  await onEngine.dispose();

  expect(shownType(present(actual))).toBe('float32 (7, 2, 2, 3)');
  expect(misfit(present(actual), present(expected), { ulps: 8, scale: 1000 })).toBeUndefined();
  expect(ops.some(({ kernels }) => kernels.includes('Gather'))).toBe(isGathered);
});

async function compiled(
  inputs: readonly Variable[],
  outputs: readonly Variable[],
  engine: string,
): ReturnType<typeof compile> {
  return await compile({ inputs, outputs, engine });
}
