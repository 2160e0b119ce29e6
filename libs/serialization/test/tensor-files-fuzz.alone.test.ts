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
import { changes } from './byte-changes.js';

// Whatever the bytes: a file is read, or refused by an error of its format that names it, and no buffer is made that is larger than the
// file, or what has been inflated out of it. So what makes a buffer is watched, before anything is loaded that keeps it.

const allocated = await vi.hoisted(async () => (await import('./watched-buffers.js')).watchBuffers());

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

test('what makes a buffer is watched', async () => {
  allocated.length = 0;
  await readNpz(path.join(import.meta.dirname, 'goldens/compressed.npz'));
  expect(Math.max(...allocated)).toBe(200_000);
});

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
