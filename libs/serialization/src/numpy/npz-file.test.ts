import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { ndarray, type NdArray } from '../ndarray.js';
import { TensorAbsent } from '../safetensors/safetensors-file.js';
import { readSafetensors, writeSafetensors } from '../safetensors/safetensors.js';
import { InvalidNumpyFile } from './npy-header.js';
import { openNpz, readNpy, readNpz } from './npz-file.js';

const GOLDENS = path.join(import.meta.dirname, '../../test/goldens');
const golden = (name: string): string => path.join(GOLDENS, name);

const upTo24 = Array.from({ length: 24 }, (_, index) => index);

/** What test/goldens/write-numpy.py writes to every-dtype.npz and compressed.npz. */
const EVERY_DTYPE = new Map<string, NdArray>([
  ['float32', ndarray('float32', [2, 3], Float32Array.of(0.5, -1.25, 3e-40, 1e38, -0, Math.PI))],
  ['float64', ndarray('float64', [3], Float64Array.of(Math.E, 1e-310, -1e308))],
  ['int8', ndarray('int8', [3], Int8Array.of(-128, 0, 127))],
  ['int16', ndarray('int16', [2, 1], Int16Array.of(-32768, 32767))],
  ['int32', ndarray('int32', [2], Int32Array.of(-(2 ** 31), 2 ** 31 - 1))],
  ['int64', ndarray('int64', [3], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n))],
  ['uint8', ndarray('uint8', [2], Uint8Array.of(0, 255))],
  ['uint16', ndarray('uint16', [2], Uint16Array.of(0, 65535))],
  ['uint32', ndarray('uint32', [2], Uint32Array.of(0, 2 ** 32 - 1))],
  ['bool', ndarray('bool', [3], Uint8Array.of(1, 0, 1))],
  ['scalar', ndarray('int64', [], BigInt64Array.of(7n))],
  ['empty', ndarray('float32', [0, 3])],
  ['big-endian', ndarray('float64', [3], Float64Array.of(1.5, -2.25, 1e300))],
  ['big-endian int16', ndarray('int16', [2], Int16Array.of(1, -2))],
  ['fortran', ndarray('int32', [2, 3, 4], Int32Array.from(upTo24))],
  ['fortran big-endian', ndarray('float32', [2, 3, 4], Float32Array.from(upTo24))],
  ['ü 中', ndarray('uint8', [1], Uint8Array.of(1))],
]);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'npz-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('files of numpy.savez are read: every dtype, big-endian, in Fortran order, scalar and empty', async () => {
  expect(await readNpz(golden('every-dtype.npz'))).toEqual(EVERY_DTYPE);
});

test('files of numpy.savez_compressed are read', async () => {
  const tensors = await readNpz(golden('compressed.npz'));
  expect(tensors.get('zeros')).toEqual(ndarray('float32', [1000, 50]));
  tensors.delete('zeros');
  expect(tensors).toEqual(EVERY_DTYPE);
});

test('files of numpy.save are read, with a header of version 1 or 2', async () => {
  expect(await readNpy(golden('matrix.npy'))).toEqual(ndarray('float64', [2, 3, 4], Float64Array.from(upTo24)));
  expect(await readNpy(golden('version-2.npy'))).toEqual(ndarray('float32', [2, 3, 4], Float32Array.from(upTo24)));
});

test('an array is given in blocks of rows, from any row on, and one in Fortran order too', async () => {
  for (const name of ['every-dtype.npz', 'compressed.npz']) {
    const file = await openNpz(golden(name));
    expect(file.tensors.get('fortran')).toEqual({ dtype: 'int32', shape: [2, 3, 4] });
    expect(await collect(file.blocks('int64', { start: 1, rows: 1 }))).toEqual([
      ndarray('int64', [1], BigInt64Array.of(2n ** 63n - 1n)),
      ndarray('int64', [1], BigInt64Array.of(2n ** 53n + 1n)),
    ]);
    expect(await collect(file.blocks('big-endian', { start: 1, stop: 2 }))).toEqual([
      ndarray('float64', [1], Float64Array.of(-2.25)),
    ]);
    expect(await collect(file.blocks('fortran', { start: 1 }))).toEqual([
      ndarray('int32', [1, 3, 4], Int32Array.from(upTo24.slice(12))),
    ]);
    await expect(file.read('none')).rejects.toThrow(TensorAbsent);
    await expect(collect(file.blocks('scalar'))).rejects.toThrow('is a scalar, which has no rows');
    await file.close();
  }
});

test('the arrays of a file are written as safetensors a block at a time', async () => {
  const file = await openNpz(golden('compressed.npz'));
  const target = path.join(folder, 'converted.safetensors');
  await writeSafetensors(target, new Map(['zeros', 'float32', 'fortran'].map((name) => [name, file.streamed(name)])));
  await file.close();
  const { tensors } = await readSafetensors(target);
  expect(tensors.get('fortran')).toEqual(EVERY_DTYPE.get('fortran'));
  expect(tensors.get('float32')).toEqual(EVERY_DTYPE.get('float32'));
  expect(tensors.get('zeros')).toEqual(ndarray('float32', [1000, 50]));
});

test('an array of pickled objects is refused by name, unread', async () => {
  await expect(openNpz(golden('pickled.npz'))).rejects.toThrow(
    /pickled\.npz: array "bad": an array of Python objects, which are pickled; nothing is unpickled here/,
  );
});

const VALID = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";

test.each([
  ['the shape of Python 2', VALID.replace('(2,)', '(2L,)')],
  ['keys in another order', "{'shape': (2,), 'fortran_order': False, 'descr': '<f4'}"],
  ['double quotes', '{"descr": "<f4", "fortran_order": False, "shape": (2,)}\n'],
])('a header with %s is read', async (_, header) => {
  expect(await readNpy(npy(header, 8))).toEqual(ndarray('float32', [2]));
});

test.each([
  [
    'a half float',
    VALID.replace('<f4', '<f2'),
    4,
    /dtype "<f2"; this build reads bool, .*float64: convert it with array.astype/,
  ],
  ['a complex number', VALID.replace('<f4', '<c8'), 16, /dtype "<c8"/],
  ['a text', VALID.replace('<f4', '<U3'), 24, /dtype "<U3"/],
  ['an unsigned 64', VALID.replace('<f4', '<u8'), 16, /dtype "<u8"/],
  ['a name of every object', VALID.replace('<f4', '<constructor'), 8, /dtype "<constructor"/],
  ['a byte order that is none', VALID.replace('<f4', '|f4'), 8, /dtype "\|f4"/],
  [
    'fields',
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
    8,
    /a structured array; save each of its fields/,
  ],
  [
    'code',
    "{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (2,)}",
    8,
    /the header .* is not that of a .npy array/,
  ],
  ['no shape', "{'descr': '<f4', 'fortran_order': False}", 8, /is not that of a .npy array/],
  ['more behind', `${VALID} 1`, 8, /is not that of a .npy array/],
  ['a shape beyond any file', VALID.replace('(2,)', `(${2 ** 40}, ${2 ** 40})`), 8, /has more bytes than a file can/],
  ['a dimension that is no number', VALID.replace('(2,)', '(2 2,)'), 8, /shape \(2 2,\) is no tuple of integers/],
  [
    'a shape that is larger',
    VALID.replace('(2,)', '(1000000000,)'),
    8,
    /needs 4000000000 bytes but 8 follow the header/,
  ],
  ['a shape that is smaller', VALID.replace('(2,)', '(1,)'), 8, /needs 4 bytes but 8 follow the header/],
])('a header with %s is refused with the reason', async (_, header, dataBytes, message) => {
  await expectRefusal(npy(header, dataBytes), message);
});

test.each([
  ['nothing', Buffer.alloc(0), /this is no .npy array/],
  ['another file', Buffer.from('PK\x03\x04 and so on'), /this is no .npy array, which starts with \\x93NUMPY/],
  [
    'version 9',
    Buffer.from('\x93NUMPY\x09\x00\x00\x00', 'latin1'),
    /.npy version 9.0; this build reads 1.0, 2.0 and 3.0/,
  ],
  [
    'a header of 4 GB',
    Buffer.from('\x93NUMPY\x02\x00\xff\xff\xff\xff', 'latin1'),
    /claims 4294967295 bytes, more than the 65536/,
  ],
  ['the end within the header', npy(VALID, 0).subarray(0, 30), /the bytes end within the header/],
])('%s is refused', async (_, bytes, message) => {
  await expectRefusal(bytes, message);
});

test('a bool that is neither 0 nor 1 is refused', async () => {
  const bytes = npy(VALID.replace('<f4', '|b1'), 2);
  bytes[bytes.byteLength - 1] = 2;
  await expectRefusal(bytes, /the array of bool has the byte 2 at 1/);
});

test('a .npz file cut at any byte is refused', async () => {
  const bytes = await readFile(golden('compressed.npz'));
  for (let size = bytes.byteLength - 1; size >= 0; size -= 13) {
    await expect(readNpz(bytes.subarray(0, size))).rejects.toThrow(InvalidNumpyFile);
  }
});

test('an array with a byte that was not written is refused by its checksum', async () => {
  const bytes = await readFile(golden('every-dtype.npz'));
  const place = bytes.indexOf(Buffer.from(Float64Array.of(Math.E).buffer));
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  await expect(readNpz(bytes)).rejects.toThrow(
    'bytes in memory: member "float64.npy" has another checksum than was written',
  );
});

test('an array that is read by blocks is checked, too, once its last row has come', async () => {
  const bytes = await readFile(golden('every-dtype.npz'));
  const place = bytes.indexOf(Buffer.from(Float64Array.of(Math.E).buffer));
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  const file = await openNpz(bytes);
  await expect(collect(file.blocks('float64', { rows: 1 }))).rejects.toThrow('has another checksum than was written');
});

test.each([
  ['int32.npy', 'int16.npy', 'there are two members "int16.npy"'],
  ['int8.npy', 'int8.pkl', 'member "int8.pkl" is no .npy array; numpy.savez writes nothing else'],
])('a member %s named %s is refused', async (name, other, message) => {
  const bytes = await readFile(golden('every-dtype.npz'), 'latin1');
  await expect(readNpz(Buffer.from(bytes.replaceAll(name, other), 'latin1'))).rejects.toThrow(message);
});

test('sizes that lie are refused before anything is allocated for them', async () => {
  const stored = await readFile(golden('every-dtype.npz'));
  const [directory = 0] = directoryEntries(stored);
  stored.writeUInt32LE(2 ** 31, directory + 20);
  stored.writeUInt32LE(2 ** 31, directory + 24);
  await expect(readNpz(stored)).rejects.toThrow('the members have more bytes than the file, up to "float32.npy"');

  const compressed = await readFile(golden('compressed.npz'));
  const [zeros = 0] = directoryEntries(compressed);
  compressed.writeUInt32LE(2 ** 31, zeros + 24);
  await expect(readNpz(compressed)).rejects.toThrow(
    /member "zeros.npy" claims 2147483648 bytes in \d+, which is not possible/,
  );
});

test('a ZIP64 file is read, whose sizes and places have 64 bits, and one with a comment', async () => {
  const bytes = await readFile(golden('every-dtype.npz'));
  expect(await readNpz(withZip64(bytes))).toEqual(EVERY_DTYPE);
  const commented = Buffer.concat([bytes, Buffer.from('abc')]);
  commented.writeUInt16LE(3, bytes.byteLength - 2);
  expect(await readNpz(commented)).toEqual(EVERY_DTYPE);
});

test('a directory that says to have fewer members is refused', async () => {
  const bytes = await readFile(golden('every-dtype.npz'));
  bytes.writeUInt16LE(3, bytes.byteLength - 22 + 10);
  await expect(readNpz(bytes)).rejects.toThrow('has more members than it says');
});

test('what inflates to more than is allowed is refused, and allowed by an option', async () => {
  const file = golden('compressed.npz');
  await expect(readNpz(file, { mostInflatedBytes: 100_000 })).rejects.toThrow(
    /"zeros.npy" has 200128 bytes once it is inflated, more than the 100000 of mostInflatedBytes/,
  );
  expect((await readNpz(file, { mostInflatedBytes: 200_128 })).size).toBe(EVERY_DTYPE.size + 1);
});

function npy(header: string, dataBytes: number): Buffer {
  const text = Buffer.from(header);
  const prefix = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  prefix.writeUInt16LE(text.byteLength, 8);
  return Buffer.concat([prefix, text, Buffer.alloc(dataBytes)]);
}

/** The same file with a ZIP64 end, and ZIP64 sizes and place of its first member. */
function withZip64(zip: Buffer): Buffer {
  const [first = 0] = directoryEntries(zip);
  const head = Buffer.from(zip.subarray(first, first + 46));
  const nameEnd = first + 46 + head.readUInt16LE(28);
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  [24, 20, 42].forEach((field, index) => {
    extra.writeBigUInt64LE(BigInt(head.readUInt32LE(field)), 4 + 8 * index);
    head.writeUInt32LE(0xffff_ffff, field);
  });
  head.writeUInt16LE(28, 30);
  const end = Buffer.from(zip.subarray(-22));
  const directory = Buffer.concat([head, zip.subarray(first + 46, nameEnd), extra, zip.subarray(nameEnd, -22)]);
  const end64 = Buffer.alloc(56);
  end64.write('PK\x06\x06', 'latin1');
  end64.writeBigUInt64LE(BigInt(end.readUInt16LE(10)), 32);
  end64.writeBigUInt64LE(BigInt(first), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(first + directory.byteLength), 8);
  end.writeUInt16LE(0xffff, 10);
  end.writeUInt32LE(0xffff_ffff, 16);
  return Buffer.concat([zip.subarray(0, first), directory, end64, locator, end]);
}

function directoryEntries(zip: Buffer): number[] {
  const places: number[] = [];
  for (let at = zip.indexOf('PK\x01\x02'); at >= 0; at = zip.indexOf('PK\x01\x02', at + 1)) places.push(at);
  return places;
}

async function expectRefusal(bytes: Uint8Array, message: RegExp): Promise<void> {
  const file = path.join(folder, 'refused.npy');
  await writeFile(file, bytes);
  const error: unknown = await readNpy(file).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InvalidNumpyFile);
  expect(String(error)).toMatch(message);
  expect(String(error)).toContain(`${file}: `);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
