import { readFile } from 'node:fs/promises';
import path from 'node:path';

import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';

import {
  decodeSafetensors,
  InvalidBlocksCheckpoint,
  InvalidNumpyFile,
  InvalidSafetensors,
  openSafetensors,
  readBlocksParameters,
  readNpy,
  readNpz,
} from '../src/index.js';

// Whatever the bytes: a file is read, or refused by an error of its format that names it, and no buffer is made that is larger than the
// file, or what has been inflated out of it. So what makes a buffer is watched, before anything is loaded that keeps it.

const allocated = vi.hoisted(() => {
  const sizes: number[] = [];
  const alloc = Buffer.alloc.bind(Buffer);
  Buffer.alloc = (size: number, ...rest: []): Buffer<ArrayBuffer> => {
    sizes.push(size);
    return alloc(size, ...rest);
  };
  const arrays = {
    Float32Array,
    Float64Array,
    Int8Array,
    Int16Array,
    Int32Array,
    BigInt64Array,
    Uint8Array,
    Uint16Array,
    Uint32Array,
  };
  for (const [name, constructor] of Object.entries(arrays)) {
    const watched: object = new Proxy(constructor, {
      construct(target, given: unknown[], newTarget) {
        const [size] = given;
        if (typeof size === 'number') sizes.push(size * target.BYTES_PER_ELEMENT);
        return Reflect.construct(target, given, newTarget === watched ? target : newTarget) as object;
      },
    });
    Reflect.set(globalThis, name, watched);
  }
  return sizes;
});

const RUNS = 400;
const SEED = 20_150_601;

/** What may be allocated for any file: for the numbers at its start. */
const SMALL_BYTES = 64;

interface Format {
  readonly goldens: readonly string[];
  readonly errors: readonly (new (message: string) => Error)[];
  readonly read: (bytes: Uint8Array) => Promise<unknown>;
  /** Bytes that can be inflated out of a golden. Default 0 */
  readonly inflatedBytes?: number;
}

const FORMATS: Readonly<Record<string, Format>> = {
  safetensors: {
    goldens: ['every-dtype.safetensors', 'plain.safetensors'],
    errors: [InvalidSafetensors],
    read: async (bytes) => {
      const file = await openSafetensors(bytes);
      for (const [name, { shape }] of file.tensors) {
        await file.read(name);
        if (shape.length > 0) await file.readRows(name, 0, Math.min(1, shape[0] ?? 0));
      }
    },
  },
  'safetensors in memory': {
    goldens: ['every-dtype.safetensors'],
    errors: [InvalidSafetensors],
    read: async (bytes) => decodeSafetensors(bytes, 'bytes in memory'),
  },
  npy: { goldens: ['matrix.npy', 'version-2.npy'], errors: [InvalidNumpyFile], read: readNpy },
  npz: {
    goldens: ['every-dtype.npz', 'compressed.npz', 'pickled.npz'],
    errors: [InvalidNumpyFile],
    read: readNpz,
    inflatedBytes: 200_128,
  },
  'Blocks checkpoints': {
    goldens: ['blocks-checkpoint.tar', 'blocks-checkpoint-pax.tar', 'blocks-no-parameters.tar'],
    errors: [InvalidBlocksCheckpoint, InvalidNumpyFile],
    read: readBlocksParameters,
  },
};

test.each(Object.entries(FORMATS))(
  '%s: changed and cut bytes are read or refused with the reason',
  async (_, format) => {
    const valid = await Promise.all(
      format.goldens.map((name) => readFile(path.join(import.meta.dirname, 'goldens', name))),
    );
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...valid),
        fc.array(changes, { minLength: 1, maxLength: 4 }),
        async (bytes, list) => {
          if (
            !(await isRead(
              format,
              list.reduce<Buffer>((changed, change) => change(changed), Buffer.from(bytes)),
            ))
          )
            refused += 1;
        },
      ),
      { seed: SEED, numRuns: RUNS },
    );
    // What was changed has been looked at.
    expect(refused).toBeGreaterThan(RUNS / 10);
  },
);

test.each(Object.entries(FORMATS))('%s: any bytes at all are read or refused with the reason', async (_, format) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 1024 }), async (bytes) => {
      await isRead(format, bytes);
    }),
    { seed: SEED, numRuns: 100 },
  );
});

/** Each changes a few bytes: of a file's length, text, or numbers, where large and extreme ones are put. */
const changes = fc.oneof(
  fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(
    ([at, byte]) =>
      (bytes: Buffer) =>
        put(bytes, at, Uint8Array.of(byte)),
  ),
  fc
    .tuple(
      fc.nat(),
      fc.constantFrom(0n, 1n, 0x7fff_ffffn, 0xffff_ffffn, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
      fc.constantFrom(2, 4, 8),
    )
    .map(([at, value, width]) => (bytes: Buffer) => {
      const number = Buffer.from(BigUint64Array.of(value).buffer);
      return put(bytes, at, number.subarray(0, width));
    }),
  fc.tuple(fc.nat(), fc.constantFrom('0', '9', '-', '}', '"', ',', '[', '(', 'L', '7777', '99999999', '|O', '\0')).map(
    ([at, text]) =>
      (bytes: Buffer) =>
        put(bytes, at, Buffer.from(text)),
  ),
  fc.nat().map((size) => (bytes: Buffer) => bytes.subarray(0, size % (bytes.byteLength + 1))),
  fc.tuple(fc.nat(), fc.nat({ max: 64 })).map(
    ([at, length]) =>
      (bytes: Buffer) =>
        Buffer.concat([
          bytes.subarray(0, at % (bytes.byteLength + 1)),
          bytes.subarray((at % (bytes.byteLength + 1)) + length),
        ]),
  ),
  fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 64 })).map(
    ([at, inserted]) =>
      (bytes: Buffer) =>
        Buffer.concat([
          bytes.subarray(0, at % (bytes.byteLength + 1)),
          inserted,
          bytes.subarray(at % (bytes.byteLength + 1)),
        ]),
  ),
);

test('what makes a buffer is watched', async () => {
  allocated.length = 0;
  await readNpz(path.join(import.meta.dirname, 'goldens/compressed.npz'));
  expect(Math.max(...allocated)).toBe(200_000);
});

function put(bytes: Buffer, at: number, part: Uint8Array): Buffer {
  const changed = Buffer.from(bytes);
  if (bytes.byteLength > 0) Buffer.from(part).copy(changed, at % bytes.byteLength);
  return changed;
}

/** Whether the bytes were read. @throws where they were refused otherwise than they may be, or more was allocated */
async function isRead({ read, errors, inflatedBytes = 0 }: Format, bytes: Uint8Array): Promise<boolean> {
  allocated.length = 0;
  const error: unknown = await read(bytes).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(Math.max(0, ...allocated)).toBeLessThanOrEqual(Math.max(bytes.byteLength, inflatedBytes, SMALL_BYTES));
  if (error === undefined) return true;
  if (
    error instanceof Error &&
    errors.some((kind) => error instanceof kind) &&
    /^bytes in memory: .{1,1000}$/s.test(error.message)
  )
    return false;
  throw error;
}
