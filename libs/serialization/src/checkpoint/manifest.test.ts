import { expect, test } from 'vitest';

import { sha256Of } from '../sha256.js';
import { NewerState, StateMismatch } from '../state.js';
import { decodeManifest, encodeManifest, type Manifest } from './manifest.js';

const KEY = 'experiments/exp_1/checkpoints/100-3.json';

const manifest: Manifest = {
  version: 2,
  step: 100,
  fence: 3,
  createdAt: '2026-01-02T03:04:05.000Z',
  environment: { engine: 'reference' },
  files: [{ name: 'a.json', blobKey: 'experiments/exp_1/blobs/3/ab', sha256: 'ab', sizeBytes: 2 }],
  log: [],
};

test('what was encoded is decoded', () => {
  const { bytes, sha256 } = encodeManifest(manifest);
  expect(decodeManifest(KEY, bytes, sha256)).toEqual(manifest);
});

test('a manifest of version 1, which called the fence an epoch and had no log, is read', () => {
  const { version: _version, fence, log: _log, ...rest } = manifest;
  expect(decode({ version: 1, epoch: fence, ...rest })).toEqual(manifest);
});

test('one of the first of version 2, which had no log, is read', () => {
  const { log: _log, ...rest } = manifest;
  expect(decode(rest)).toEqual(manifest);
});

test('one of a newer build is told apart from what is none', () => {
  expect(() => decode({ ...manifest, version: 3 })).toThrow(NewerState);
  expect(() => decode({ ...manifest, version: 3 })).toThrow(
    `manifest ${KEY}: saved state has version 3, this build reads 1..2; it was written by a newer build`,
  );
  expect(() => decode({ ...manifest, fence: 'x' })).toThrow(StateMismatch);
  expect(() => decode({ version: 1 })).toThrow(/has another form than its version says.*fence/su);
});

function decode(json: unknown): Manifest {
  const bytes = Buffer.from(JSON.stringify(json));
  return decodeManifest(KEY, bytes, sha256Of(bytes));
}
