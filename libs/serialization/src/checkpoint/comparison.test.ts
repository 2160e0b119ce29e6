import { expect, test } from 'vitest';

import { CheckpointFolder, type Contents, floats, keyOf } from '../../test/checkpoint-folder.js';
import { type NdArray, ndarray } from '../ndarray.js';
import { encodeSafetensors } from '../safetensors/safetensors.js';
import { compareCheckpoints, type Comparison, differingValues } from './comparison.js';
import { CorruptBlob } from './stored-files.js';

test('tensors are compared by name: what is only in one, what has another shape or dtype, what is equal, and by how much others differ', async () => {
  const { files } = await compared(
    tensorFile({
      gone: floats(1),
      same: floats(1, NaN),
      reshaped: floats(1, 2),
      retyped: floats(3),
      W: floats(1, 2, 3),
    }),
    tensorFile({
      same: floats(1, NaN),
      reshaped: ndarray('float32', [2, 1], Float32Array.of(1, 2)),
      retyped: ndarray('int32', [1], Int32Array.of(3)),
      W: floats(1, 2.5, 1),
      come: ndarray('float64', []),
    }),
  );
  expect(files).toMatchObject([{ name: 'parameters.safetensors', kind: 'changed' }]);
  expect(new Map(files[0]?.tensors?.map(({ name, ...rest }) => [name, rest]))).toEqual(
    new Map<string, unknown>([
      ['gone', { kind: 'only-a', facts: { dtype: 'float32', shape: [1] } }],
      ['come', { kind: 'only-b', facts: { dtype: 'float64', shape: [] } }],
      ['same', { kind: 'equal' }],
      ['reshaped', { kind: 'retyped', a: { dtype: 'float32', shape: [2] }, b: { dtype: 'float32', shape: [2, 1] } }],
      ['retyped', { kind: 'retyped', a: { dtype: 'float32', shape: [1] }, b: { dtype: 'int32', shape: [1] } }],
      ['W', { kind: 'changed', elements: 2, maxAbsDifference: 2, nonFinite: 0 }],
    ]),
  );
});

test.each<[string, NdArray, NdArray, object]>([
  ['a sign of zero', floats(0), floats(-0), { elements: 1, maxAbsDifference: 0, nonFinite: 0 }],
  ['NaN', floats(1, 2), floats(NaN, 4), { elements: 2, maxAbsDifference: 2, nonFinite: 1 }],
  ['infinity', floats(Infinity), floats(-Infinity), { elements: 1, maxAbsDifference: 0, nonFinite: 1 }],
  [
    'integers beyond 2^53',
    ndarray('int64', [], BigInt64Array.of(2n ** 60n)),
    ndarray('int64', [], BigInt64Array.of(2n ** 60n + 1n)),
    { elements: 1, maxAbsDifference: 1, nonFinite: 0 },
  ],
])('%s is a difference', async (_what, a, b, difference) => {
  const { files } = await compared(tensorFile({ x: a }), tensorFile({ x: b }));
  expect(files[0]?.tensors).toEqual([{ name: 'x', kind: 'changed', ...difference }]);
});

test('a difference in the last of several blocks is found', async () => {
  const rows = 3 << 20;
  const [a, b] = [new Float32Array(rows), new Float32Array(rows)];
  b[rows - 1] = 7;
  const { files } = await compared(
    tensorFile({ x: ndarray('float32', [rows], a) }),
    tensorFile({ x: ndarray('float32', [rows], b) }),
  );
  expect(files[0]?.tensors).toMatchObject([{ kind: 'changed', elements: 1, maxAbsDifference: 7 }]);
});

test('files are equal, changed, or only in one; of JSON the values that differ are given by path', async () => {
  const { files } = await compared(
    { 'state.json': '{"step":1,"loop":{"epoch":1,"seen":[1,2]}}', 'output.x': 'a', gone: '', same: 'x' },
    { 'state.json': '{"loop":{"seen":[1,3],"epoch":1},"step":2,"more":null}', 'output.x': 'b', come: '', same: 'x' },
  );
  expect(new Map(files.map(({ name, ...rest }) => [name, rest]))).toEqual(
    new Map<string, unknown>([
      [
        'state.json',
        {
          kind: 'changed',
          values: [
            { path: 'step', a: 1, b: 2 },
            { path: 'loop.seen.1', a: 2, b: 3 },
            { path: 'more', a: undefined, b: null },
          ],
        },
      ],
      ['output.x', { kind: 'changed' }],
      ['gone', { kind: 'only-a' }],
      ['come', { kind: 'only-b' }],
      ['same', { kind: 'equal' }],
    ]),
  );
});

test('values of other kinds differ as a whole', () => {
  expect(differingValues({ a: [1] }, { a: { 0: 1 } })).toEqual([{ path: 'a', a: [1], b: { 0: 1 } }]);
  expect(differingValues({ a: null }, { a: {} })).toEqual([{ path: 'a', a: null, b: {} }]);
  expect(differingValues({ a: [] }, { a: [] })).toEqual([]);
});

test('a file that is no tensor file and no JSON, whatever its name, differs for a reason that is said', async () => {
  const { files } = await compared(
    { 'x.safetensors': 'short', 'y.json': '{' },
    { 'x.safetensors': 'shorter', 'y.json': '{}' },
  );
  expect(files).toMatchObject([
    { kind: 'changed', reason: expect.stringContaining('too few') },
    { kind: 'changed', reason: expect.stringContaining('JSON') },
  ]);
});

test('damage is no difference', async () => {
  const there = await CheckpointFolder.make();
  const a = await there.commit(1, tensorFile({ x: floats(1, 2, 3, 4) }));
  const b = await there.commit(2, tensorFile({ x: floats(1, 2, 3, 5) }));
  await there.flipBit(keyOf(b, 'parameters.safetensors'));
  await expect(compareCheckpoints(there.store, a, b)).rejects.toThrow(CorruptBlob);
});

async function compared(a: Contents, b: Contents): Promise<Comparison> {
  const there = await CheckpointFolder.make();
  return compareCheckpoints(there.store, await there.commit(1, a), await there.commit(2, b));
}

function tensorFile(tensors: Readonly<Record<string, NdArray>>): Contents {
  return { 'parameters.safetensors': encodeSafetensors(new Map(Object.entries(tensors))) };
}
