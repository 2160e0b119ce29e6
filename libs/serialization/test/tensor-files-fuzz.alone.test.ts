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
import { type FuzzedReader, Fuzzing } from './fuzzed-reader.js';

// Whatever the bytes: a file is read, or refused by an error of its format that names it, and no buffer is made that is larger than the
// file, or what has been inflated out of it. So what makes a buffer is watched, before anything is loaded that keeps it.

const allocated = await vi.hoisted(async () => (await import('./watched-buffers.js')).watchBuffers());
const fuzzing = new Fuzzing(allocated);

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
    await fuzzing.changed(fuzzed(format), valid);
  },
);

test.each(Object.entries(FORMATS))('%s: any bytes at all are read or refused with the reason', async (_, format) => {
  await fuzzing.drawn(fuzzed(format), fc.uint8Array({ maxLength: 1024 }));
});

test('what makes a buffer is watched', async () => {
  allocated.length = 0;
  await readNpz(path.join(import.meta.dirname, 'goldens/compressed.npz'));
  expect(Math.max(...allocated)).toBe(200_000);
});

function fuzzed({ read, errors, inflatedBytes = 0 }: Format): FuzzedReader {
  return {
    read,
    mayRefuse: (error) =>
      errors.some((kind) => error instanceof kind) && /^bytes in memory: .{1,1000}$/s.test(error.message),
    mostBytes: Math.max(inflatedBytes, SMALL_BYTES),
  };
}
