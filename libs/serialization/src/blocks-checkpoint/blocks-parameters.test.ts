import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { ndarray, type NdArray } from '../ndarray.js';
import { InvalidNumpyFile } from '../numpy/npy-header.js';
import { FileStore } from '../store/file-store.js';
import { InvalidBlocksCheckpoint, openBlocksParameters, readBlocksParameters } from './blocks-parameters.js';

const GOLDENS = path.join(import.meta.dirname, '../../test/goldens');
const golden = (name: string): string => path.join(GOLDENS, name);

/** What test/goldens/write-numpy.py writes to blocks-checkpoint.tar. */
const PARAMETERS = new Map<string, NdArray>([
  ['/mlp/linear_0.W', ndarray('float32', [2, 3], Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25))],
  ['/mlp/linear_0.b', ndarray('float32', [3], Float32Array.of(-1.5, 0.25, 3))],
  ['/mlp/linear-1.W', ndarray('float64', [3, 2], Float64Array.of(0, 1, 2, 3, 4, 5))],
  ['parameter_2', ndarray('int64', [], BigInt64Array.of(3n))],
]);

test.each(['blocks-checkpoint.tar', 'blocks-checkpoint-pax.tar'])(
  'the parameters of %s are read by their paths, and nothing is unpickled',
  async (name) => {
    expect(await readBlocksParameters(golden(name))).toEqual(PARAMETERS);
    expect(existsSync(path.join(tmpdir(), 'unpickled-by-longrun'))).toBe(false);
  },
);

test('one parameter is read of an object in a store', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'blocks-'));
  const store = new FileStore(folder);
  await store.probe();
  await store.put('old.tar', { path: golden('blocks-checkpoint.tar') });
  const file = await openBlocksParameters({ store, key: 'old.tar' });
  expect(file.tensors.get('/mlp/linear_0.b')).toEqual({ dtype: 'float32', shape: [3] });
  expect(await file.read('/mlp/linear_0.b')).toEqual(PARAMETERS.get('/mlp/linear_0.b'));
  await file.close();
  await rm(folder, { recursive: true });
});

test.each(['blocks-no-parameters.tar', 'blocks-no-parameters-pax.tar'])(
  '%s, which was written without its parameters, is refused with what it has and the remedy',
  async (name) => {
    const attempt = readBlocksParameters(golden(name));
    await expect(attempt).rejects.toThrow(InvalidBlocksCheckpoint);
    await expect(attempt).rejects.toThrow(
      /parameters(-pax)?\.tar: there is no member _parameters .*\("_pkl", "added_x{104}"\); .* dump\(main_loop, file, parameters=/,
    );
  },
);

test('another file is refused as no tar file', async () => {
  await expect(readBlocksParameters(golden('every-dtype.npz'))).rejects.toThrow(
    /every-dtype\.npz: the header at byte 0 has no valid checksum; this is no tar file/,
  );
  await expect(readBlocksParameters(new Uint8Array(0))).rejects.toThrow(InvalidBlocksCheckpoint);
});

test('a checkpoint cut within its members is refused', async () => {
  const bytes = await readFile(golden('blocks-checkpoint.tar'));
  const end = bytes.indexOf('_pkl') + 512;
  for (let size = end; size > 0; size -= 97) {
    const error: unknown = await readBlocksParameters(bytes.subarray(0, size)).catch((reason: unknown) => reason);
    expect(error, `${size} bytes`).toSatisfy(
      (reason) => reason instanceof InvalidBlocksCheckpoint || reason instanceof InvalidNumpyFile,
    );
  }
});

test('a member that says to be larger than the file is refused', async () => {
  const bytes = await readFile(golden('blocks-checkpoint.tar'));
  bytes.write('77777777777', 124, 'latin1');
  sign(bytes);
  await expect(readBlocksParameters(bytes)).rejects.toThrow(
    /member "_parameters" ends at byte 8589935103 but the file at \d+/,
  );
  // As tar files have numbers of more than 11 octal digits.
  Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0]).copy(bytes, 124);
  sign(bytes);
  await expect(readBlocksParameters(bytes)).rejects.toThrow(/"_parameters" ends at byte 1073742336 but/);
});

test('two parameters whose paths are the same are refused', async () => {
  const bytes = await readFile(golden('blocks-checkpoint.tar'), 'latin1');
  const same = bytes.replaceAll('|mlp|linear-1.W', '|mlp/linear_0.W');
  await expect(readBlocksParameters(Buffer.from(same, 'latin1'))).rejects.toThrow(
    'there are two arrays "/mlp/linear_0.W"',
  );
});

test('two members of parameters are refused', async () => {
  const bytes = await readFile(golden('blocks-checkpoint.tar'));
  const end = bytes.indexOf('_pkl');
  await expect(readBlocksParameters(Buffer.concat([bytes.subarray(0, end), bytes]))).rejects.toThrow(
    'there are two members _parameters',
  );
});

/** Writes the checksum of the first header. */
function sign(tar: Buffer): void {
  tar.fill(' ', 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
