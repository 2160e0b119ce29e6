import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import {
  ndarray,
  openObjectStore,
  openSafetensors,
  RandomStreams,
  RestoreRefused,
  UnknownTensorFile,
  writeSafetensors,
  type NdArray,
} from '@longrun/serialization';
import { matrix, shared, sum } from '@longrun/tensor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { float32, tinyExperiment, tinyModel } from '../../test/tiny-experiment.js';
import { Linear } from '../bricks/linear.js';
import { Tanh } from '../bricks/activations.js';
import { MLP } from '../bricks/mlp.js';
import { Constant } from '../initialization/constant.js';
import { addRole, PARAMETER } from '../roles.js';
import { saveSnapshot } from '../snapshot/snapshot-folder.js';
import { SNAPSHOT_FILES } from '../snapshot/snapshot.js';
import { Model } from './model.js';
import { restoreParameters } from './restore-parameters.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-restore-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Of three inputs, `hidden` units and two outputs. */
function modelOf(hidden = 5, seed = 1): Model {
  return new Model(tinyModel(new RandomStreams(seed), { hidden }).cost);
}

describe('the parameters of a checkpoint', () => {
  test.each(['a folder', 'a store'])('in %s become those of a model, or of a main loop', async (place) => {
    const trained = tinyExperiment();
    await trained.run();
    const { files } = await saveSnapshot(trained, folder);
    const file = files.find(({ name }) => name === SNAPSHOT_FILES.parameters)?.path ?? '';
    const store = await openObjectStore(`file:${path.join(folder, 'store')}`);
    await store.put('blobs/parameters', { path: file });
    const from = place === 'a store' ? { store, key: 'blobs/parameters' } : file;

    const [model, mainLoop] = [modelOf(5, 2), tinyExperiment({ seed: 3 })];
    const { restored, kept, ignored } = await restoreParameters(model, from);
    await restoreParameters(mainLoop, from);

    expect(await model.getParameterValues()).toEqual(await trained.model.getParameterValues());
    expect((await mainLoop.arrays()).parameters).toEqual((await trained.arrays()).parameters);
    expect(restored.map(({ name }) => name)).toEqual([...(await trained.arrays()).parameters.keys()]);
    expect([kept, ignored]).toEqual([[], []]);
  });

  test('that Blocks has written do, with double precision rounded where that is asked for', async () => {
    const golden = path.join(import.meta.dirname, '../../../serialization/test/goldens/blocks-checkpoint.tar');
    const mlp = new MLP([new Tanh()], { dims: [2, 3], weightsInit: new Constant(0), biasesInit: new Constant(0) });
    const second = new Linear({
      name: 'linear-1',
      inputDim: 3,
      outputDim: 2,
      useBias: false,
      weightsInit: new Constant(0),
    });
    for (const brick of [mlp, second]) brick.initialize(new RandomStreams(1));
    const model = new Model(second.apply(mlp.apply(matrix('x'))));

    const { ignored } = await restoreParameters(model, golden, {
      rename: { '/mlp/linear-1.W': '/linear-1.W' },
      onUnexpected: 'ignore',
      onDTypeMismatch: 'cast',
    });

    expect(ignored).toEqual([{ name: 'parameter_2', reason: 'unexpected' }]);
    expect(await valuesOf(model)).toEqual({
      '/mlp/linear_0.W': [0, 0.25, 0.5, 0.75, 1, 1.25],
      '/mlp/linear_0.b': [-1.5, 0.25, 3],
      '/linear-1.W': [0, 1, 2, 3, 4, 5],
    });
  });
});

describe('what fits', () => {
  test('is restored from a model that is still there, and the rest is kept', async () => {
    const [small, large] = [modelOf(5, 1), modelOf(6, 2)];
    const before = await large.getParameterValues();

    const { kept } = await restoreParameters(large, await small.getParameterValues(), { onShapeMismatch: 'keep' });

    expect(kept.map(({ name }) => name)).toEqual(['/mlp/linear_0.W', '/mlp/linear_0.b', '/mlp/linear_1.W']);
    for (const { name } of kept) expect((await large.getParameterValues()).get(name)).toEqual(before.get(name));
    expect((await large.getParameterValues()).get('/mlp/linear_1.b')).toEqual(
      (await small.getParameterValues()).get('/mlp/linear_1.b'),
    );
  });

  test('is the corner of what grew, where that is asked for', async () => {
    const [small, large] = [modelOf(5, 1), modelOf(6, 2)];
    const before = await rowsOf(large, '/mlp/linear_1.W');

    await restoreParameters(large, await small.getParameterValues(), { onShapeMismatch: 'overlap' });

    expect(await rowsOf(large, '/mlp/linear_1.W')).toEqual([
      ...(await rowsOf(small, '/mlp/linear_1.W')),
      before.at(-1),
    ]);
  });

  test('may be of another size, where the type of the variable leaves that open', async () => {
    const rows = shared(float32([1, 2], [1, 2]), 'rows', { shape: [null, 2] });
    addRole(rows, PARAMETER);
    const model = new Model(sum(rows));
    const [name = ''] = model.getParameterDict().keys();
    const more = float32([3, 2], [1, 2, 3, 4, 5, 6]);
    const { restored } = await restoreParameters(model, new Map([[name, more]]));

    expect(await rows.getValue()).toEqual(more);
    expect(restored).toMatchObject([{ name, wanted: { shape: [3, 2] } }]);
    const other = new Map([[name, float32([1, 3], [7, 8, 9])]]);
    await expect(restoreParameters(model, other)).rejects.toThrow(RestoreRefused);
    // What both have, into the value that there is.
    await restoreParameters(model, other, { onShapeMismatch: 'overlap' });
    expect(await rows.getValue()).toEqual(float32([3, 2], [7, 8, 3, 4, 5, 6]));
  });

  test('is read, and nothing else', async () => {
    const file = path.join(folder, 'parameters.safetensors');
    await writeSafetensors(
      file,
      new Map([...(await modelOf().getParameterValues()), ['/lookup.W', float32([2], [1, 2])]]),
    );
    const opened = await openSafetensors(file);
    const read: string[] = [];
    const watched = {
      where: opened.where,
      tensors: opened.tensors,
      read: async (name: string) => {
        read.push(name);
        return opened.read(name);
      },
      blocks: () => {
        throw new Error('read by blocks');
      },
    };

    await restoreParameters(modelOf(5, 2), watched, { select: '/mlp/linear_0.*' });
    await opened.close();

    expect(read).toEqual(['/mlp/linear_0.W', '/mlp/linear_0.b']);
  });
});

describe('nothing of the model changes', () => {
  test('where anything is refused', async () => {
    const model = modelOf();
    const before = await valuesOf(model);
    const values = new Map<string, NdArray>(await modelOf(5, 2).getParameterValues());
    values.set('/mlp/linear_1.b', ndarray('float32', [9]));

    await expect(restoreParameters(model, values)).rejects.toThrow(RestoreRefused);
    await expect(restoreParameters(model, values)).rejects.toThrow(
      '"/mlp/linear_1.b" is float32 (2) but it is float32 (9) there',
    );
    expect(await valuesOf(model)).toEqual(before);
  });

  test('where a value cannot be read when others were', async () => {
    const model = modelOf();
    const before = await valuesOf(model);
    const values = await modelOf(5, 2).getParameterValues();
    const read: string[] = [];
    const failing = {
      where: 'a bad disk',
      tensors: values,
      read: async (name: string) => {
        read.push(name);
        const value = values.get(name);
        if (name === '/mlp/linear_1.b' || value === undefined) throw new Error('EIO');
        return value;
      },
      async *blocks() {},
    };

    await expect(restoreParameters(model, failing)).rejects.toThrow('EIO');
    expect(read).toHaveLength(4);
    expect(await valuesOf(model)).toEqual(before);
  });

  test('where one is being updated', async () => {
    const model = modelOf();
    const before = await valuesOf(model);
    const last = model.getParameterDict().get('/mlp/linear_1.b');
    last?.reserve('training');

    await expect(restoreParameters(model, await modelOf(5, 2).getParameterValues())).rejects.toThrow(
      /restoreParameters: .*b.* is being updated by a run of training/,
    );
    last?.cancel();
    expect(await valuesOf(model)).toEqual(before);
  });

  test('where the file is none', async () => {
    await expect(restoreParameters(modelOf(), new TextEncoder().encode('weights'))).rejects.toThrow(UnknownTensorFile);
  });
});

async function valuesOf(model: Model): Promise<Record<string, number[]>> {
  return Object.fromEntries(
    [...(await model.getParameterValues())].map(([name, { data }]) => [name, Array.from(data, Number)]),
  );
}

async function rowsOf(model: Model, name: string): Promise<number[][]> {
  const { shape = [], data = [] } = (await model.getParameterValues()).get(name) ?? {};
  const [rows = 0, columns = 0] = shape;
  return Array.from({ length: rows }, (_, row) => Array.from(data, Number).slice(row * columns, (row + 1) * columns));
}
