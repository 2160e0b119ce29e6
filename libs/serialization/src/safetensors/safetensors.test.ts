import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type DType, ndarray, type NdArray } from '../ndarray.js';
import { InvalidSafetensors } from './header.js';
import { decodeSafetensors, encodeSafetensors, readSafetensors, writeSafetensors } from './safetensors.js';

const GOLDENS = path.join(import.meta.dirname, '../../test/goldens');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'safetensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What test/goldens/write-safetensors.py writes to every-dtype.safetensors. */
const EVERY_DTYPE = new Map<string, NdArray>([
  ['/mlp/linear_0.W', ndarray('float32', [2, 3], Float32Array.of(0.5, -1.25, 3e-40, 1e38, -0, Math.PI))],
  ['/mlp/linear_0.b', ndarray('float32', [3], Float32Array.of(1, 2, 3))],
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
  ['quote " backslash \\ tab \t ü 中 \u{1f600}', ndarray('uint8', [1], Uint8Array.of(1))],
  ['\uffff', ndarray('uint8', [1], Uint8Array.of(2))],
]);

test('files of the Python library are read', async () => {
  const { tensors, metadata } = await readSafetensors(path.join(GOLDENS, 'every-dtype.safetensors'));
  expect(metadata).toEqual({ format: 'np' });
  expect(tensors).toEqual(EVERY_DTYPE);
});

test.each([
  ['every-dtype', EVERY_DTYPE, { format: 'np' }],
  [
    'plain',
    new Map([
      [
        'W',
        ndarray(
          'float32',
          [3, 4],
          Float32Array.from({ length: 12 }, (_, index) => index),
        ),
      ],
    ]),
    {},
  ],
  ['no-tensors', new Map<string, NdArray>(), {}],
] as const)('the bytes of %s are those of the Python library', async (name, tensors, metadata) => {
  const golden = await readFile(path.join(GOLDENS, `${name}.safetensors`));
  expect(Buffer.from(encodeSafetensors(tensors, metadata)).equals(golden)).toBe(true);
});

test('decode(encode(x)) = x, bit for bit, and equal tensors make equal bytes whatever their order', () => {
  fc.assert(
    fc.property(tensorMaps, fc.dictionary(names, fc.string({ unit: 'grapheme' })), (entries, metadata) => {
      const tensors = new Map(entries);
      const bytes = encodeSafetensors(tensors, metadata);
      const decoded = decodeSafetensors(bytes);
      expect(decoded.metadata).toEqual(metadata);
      expect(decoded.tensors.size).toBe(tensors.size);
      for (const [name, tensor] of tensors) expect(decoded.tensors.get(name)).toEqual(tensor);
      const reversed = Object.fromEntries(Object.entries(metadata).toReversed());
      expect(encodeSafetensors(new Map(entries.toReversed()), reversed)).toEqual(bytes);
    }),
  );
});

test('every tensor lies at a multiple of its element size', () => {
  const odd = new Map<string, NdArray>([
    ['a', ndarray('uint8', [3])],
    ['b', ndarray('float64', [1])],
    ['c', ndarray('float32', [1])],
  ]);
  const bytes = encodeSafetensors(odd);
  expect(Buffer.from(bytes).toString()).toMatch(/"b":.*\[0,8\].*"c":.*\[8,12\].*"a":.*\[12,15\]/);
  expect((bytes[0] ?? 0) % 8).toBe(0);
});

test('a written file reads back, has the hash returned, and leaves nothing else in the folder', async () => {
  const target = path.join(folder, 'written', 'x.safetensors');
  await mkdir(path.dirname(target));
  const big = ndarray('float32', [3, 1 << 20], new Float32Array(3 << 20).fill(0.1));
  const tensors = new Map<string, NdArray>([...EVERY_DTYPE, ['big', big]]);
  const written = await writeSafetensors(target, tensors, { step: '100' });
  const bytes = await readFile(target);
  expect(written).toEqual({ sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.byteLength });
  expect(bytes.equals(Buffer.from(encodeSafetensors(tensors, { step: '100' })))).toBe(true);
  const read = await readSafetensors(target);
  expect(bytes.equals(encodeSafetensors(read.tensors, read.metadata))).toBe(true);
  expect(await readdir(path.dirname(target))).toEqual(['x.safetensors']);
});

test('a write that fails leaves the file that was there', async () => {
  const target = path.join(folder, 'kept.safetensors');
  await writeSafetensors(target, EVERY_DTYPE);
  const before = await readFile(target);
  const lying: NdArray = { dtype: 'float32', shape: [5], data: new Float32Array(2) };
  await expect(writeSafetensors(target, new Map([['x', lying]]))).rejects.toThrow('has shape (5) but 2 elements');
  expect((await readFile(target)).equals(before)).toBe(true);
});

test('arrays that look at a part of a buffer are written as that part', () => {
  const part = new Float32Array(Float32Array.of(9, 1, 2, 9).buffer, 4, 2);
  const { tensors } = decodeSafetensors(encodeSafetensors(new Map([['x', ndarray('float32', [2], part)]])));
  expect(tensors.get('x')?.data).toEqual(Float32Array.of(1, 2));
});

test('decoded tensors do not alias the bytes', () => {
  const bytes = encodeSafetensors(new Map([['x', ndarray('uint8', [1], Uint8Array.of(7))]]));
  const { tensors } = decodeSafetensors(bytes);
  bytes.fill(0);
  expect(tensors.get('x')?.data).toEqual(Uint8Array.of(7));
});

test.each([
  ['an overlap', { a: u8(0, 4), b: u8(3, 5) }, 5, /"b" begins at byte 3 .* end at 4: it overlaps/],
  ['a hole', { a: u8(0, 4), b: u8(5, 6) }, 6, /"b" begins at byte 5 .* end at 4: it leaves a hole/],
  ['a hole at the beginning', { a: u8(1, 4) }, 4, /"a" begins at byte 1 .* end at 0: it leaves a hole/],
  ['bytes after the last tensor', { a: u8(0, 4) }, 6, /6 bytes of data follow the header but the tensors end at 4/],
  ['a truncated file', { a: u8(0, 4) }, 3, /need 4 bytes of data but only 3 follow the header; the file is truncated/],
  [
    'a shape of other size',
    { a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } },
    4,
    /shape \(2\) of float32, which needs 8 bytes, but .* hold 4/,
  ],
  ['a negative range', { a: { dtype: 'U8', shape: [0], data_offsets: [4, 0] } }, 4, /hold -4/],
  [
    'a negative dimension',
    { a: { dtype: 'U8', shape: [-1], data_offsets: [0, 1] } },
    1,
    /shape \[-1\], which is no list/,
  ],
  ['a dimension with a fraction', { a: { dtype: 'U8', shape: [0.5], data_offsets: [0, 1] } }, 1, /shape \[0\.5\]/],
  [
    'a shape whose product overflows',
    { a: { dtype: 'U8', shape: [2 ** 32, 2 ** 32], data_offsets: [0, 0] } },
    0,
    /needs 18446744073709552000 bytes/,
  ],
  [
    'an unknown dtype',
    { a: { dtype: 'F16', shape: [1], data_offsets: [0, 2] } },
    2,
    /dtype "F16"; this build reads .*F32/,
  ],
  ['missing offsets', { a: { dtype: 'U8', shape: [1] } }, 1, /data_offsets undefined/],
  ['three offsets', { a: { dtype: 'U8', shape: [1], data_offsets: [0, 1, 1] } }, 1, /data_offsets \[0,1,1\]/],
  ['a tensor that is a number', { a: 1 }, 0, /"a" is not described by an object/],
  ['metadata that is no text', { __metadata__: { step: 1 } }, 0, /__metadata__ is not an object of texts/],
  ['a header that is a list', [], 0, /not a JSON object/],
])('%s is refused, from bytes and from a file, with the reason', async (_, header, dataBytes, message) => {
  await expectRefusal(assemble(JSON.stringify(header), dataBytes), message);
});

test.each([
  ['{"a":1', /header is not JSON/],
  ['\ufeff{}', /header is not JSON/],
  ['', /header is not JSON/],
  [`{"a":${JSON.stringify(u8(0, 0))},"\\u0061":${JSON.stringify(u8(0, 0))}}`, /names "a" twice/],
  ['{"a":{"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]}}', /names "shape" twice/],
  ['{"__metadata__":{"k":"1","k":"2"}}', /names "k" twice/],
])('the header %s is refused', async (header, message) => {
  await expectRefusal(assemble(header, 0), message);
});

test('the same key in different objects, or in a text, is no duplicate', () => {
  const header = `{"a":${JSON.stringify(u8(0, 0))},"b":${JSON.stringify(u8(0, 0))},"__metadata__":{"a":"{\\"a\\":1,\\"a\\":2}"}}`;
  expect([...decodeSafetensors(assemble(header, 0)).tensors.keys()].toSorted()).toEqual(['a', 'b']);
});

test('a header is read whatever its texts are long', () => {
  const metadata = { text: 'x"\\'.repeat(5_000_000) };
  expect(decodeSafetensors(encodeSafetensors(new Map(), metadata)).metadata).toEqual(metadata);
});

test.each(['dtype', 'shape', 'data_offsets'])(
  'a %s nested a hundred thousand deep is refused, and not repeated',
  async (key) => {
    const fields = {
      dtype: '"U8"',
      shape: '[0]',
      data_offsets: '[0,0]',
      [key]: '['.repeat(100_000) + ']'.repeat(100_000),
    };
    const header = Object.entries(fields).map(([name, value]) => `"${name}":${value}`);
    await expectRefusal(assemble(`{"a":{${header.join(',')}}}`, 0), /tensor "a" has .{1,300}$/);
  },
);

test('a name of a million characters does not make an error of a million', async () => {
  await expectRefusal(assemble(JSON.stringify({ ['n'.repeat(1_000_000)]: 1 }), 0), /tensor "nn.{1,300}$/);
});

test('a header that is not UTF-8 is refused', async () => {
  const bytes = assemble('{"a":0}', 0);
  bytes[10] = 0xff;
  await expectRefusal(bytes, /header is not JSON/);
});

test('a header of more than 100 MB is refused before it is read', async () => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, 100_000_001n, true);
  await expectRefusal(bytes, /claims 100000001 bytes, more than the 100000000 allowed/);
  new DataView(bytes.buffer).setBigUint64(0, 2n ** 64n - 1n, true);
  await expectRefusal(bytes, /claims 18446744073709551615 bytes/);
});

test('a header longer than the file is refused', async () => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, 9n, true);
  await expectRefusal(bytes, /claims 9 bytes but only 8 follow; the file is truncated/);
  await expectRefusal(new Uint8Array(7), /7 bytes are too few/);
  await expectRefusal(new Uint8Array(0), /0 bytes are too few/);
});

test('a bool byte that is neither 0 nor 1 is refused', async () => {
  const bytes = assemble(JSON.stringify({ a: { dtype: 'BOOL', shape: [3], data_offsets: [0, 3] } }), 3);
  bytes[bytes.byteLength - 2] = 2;
  await expectRefusal(bytes, /"a" of bool has the byte 2 at 1/);
});

test('a file cut at any byte is refused', async () => {
  const whole = path.join(GOLDENS, 'plain.safetensors');
  const bytes = await readFile(whole);
  const target = path.join(folder, 'cut.safetensors');
  await writeFile(target, bytes);
  for (let size = (await stat(target)).size - 1; size >= 0; size -= 7) {
    await truncate(target, size);
    await expect(readSafetensors(target)).rejects.toThrow(InvalidSafetensors);
    expect(() => decodeSafetensors(bytes.subarray(0, size))).toThrow(InvalidSafetensors);
  }
});

test('arbitrary bytes never do anything else than be refused', () => {
  fc.assert(
    fc.property(fc.json(), fc.uint8Array({ maxLength: 8 }), (json, data) => {
      expect(refusalOf(() => decodeSafetensors(Buffer.concat([assemble(json, 0), data])))).toBeOneOf([
        undefined,
        expect.any(InvalidSafetensors),
      ]);
    }),
  );
});

test.each([
  ['__metadata__', 'a tensor cannot be named __metadata__'],
  ['\ud800', 'is not well-formed Unicode'],
])('the name %j cannot be written', (name, message) => {
  expect(() => encodeSafetensors(new Map([[name, ndarray('uint8', [1])]]))).toThrow(message);
});

test('a tensor may be named like a part of every object', () => {
  const named = new Map(
    ['__proto__', 'constructor', ''].map((name) => [name, ndarray('uint8', [1], Uint8Array.of(3))]),
  );
  expect(decodeSafetensors(encodeSafetensors(named)).tensors).toEqual(named);
});

function u8(begin: number, end: number): object {
  return { dtype: 'U8', shape: [end - begin], data_offsets: [begin, end] };
}

function assemble(header: string, dataBytes: number): Uint8Array {
  const json = Buffer.from(header);
  const bytes = new Uint8Array(8 + json.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.byteLength), true);
  bytes.set(json, 8);
  return bytes;
}

function refusalOf(attempt: () => unknown): unknown {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return error;
  }
}

async function expectRefusal(bytes: Uint8Array, message: RegExp): Promise<void> {
  const file = path.join(folder, 'refused.safetensors');
  await writeFile(file, bytes);
  for (const attempt of [() => readSafetensors(file), async () => decodeSafetensors(bytes, file)]) {
    const error: unknown = await attempt().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(InvalidSafetensors);
    expect(String(error)).toMatch(message);
    expect(String(error)).toContain(`${file}: `);
  }
}

const names = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((name) => name !== '__metadata__');

const tensors = fc
  .tuple(
    fc.constantFrom<DType>(
      'float32',
      'float64',
      'int8',
      'int16',
      'int32',
      'int64',
      'uint8',
      'uint16',
      'uint32',
      'bool',
    ),
    fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
    fc.infiniteStream(fc.nat({ max: 255 })),
  )
  .map(([dtype, shape, noise]): NdArray => {
    const array = ndarray(dtype, shape);
    // Any bits, so also infinities, subnormals and NaN with payload.
    const raw = new Uint8Array(array.data.buffer);
    for (let index = 0; index < raw.length; index += 1)
      raw[index] = Number(noise.next().value) % (dtype === 'bool' ? 2 : 256);
    return array;
  });

const tensorMaps = fc.uniqueArray(fc.tuple(names, tensors), { maxLength: 6, selector: ([name]) => name });
