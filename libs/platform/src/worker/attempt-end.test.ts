import { LeaseLost } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { endOfError } from './attempt-end.js';
import { ForeignStore, StorageFailed } from './storage-retries.js';

const full = Object.assign(new Error('ENOSPC: no space left on device, mkdir'), { code: 'ENOSPC' });

test.each([
  [full, 'worker_disk'],
  [new StorageFailed('Could not fetch the dataset', { cause: full }), 'worker_disk'],
  [new Error('The trainer could not be placed', { cause: full }), 'worker_disk'],
  [new ForeignStore('The object store has no spec.json'), 'worker_disk'],
  [new StorageFailed('Could not fetch the dataset', { cause: new Error('503') }), 'storage_error'],
  [new LeaseLost('taken', 'taken'), 'lease_lost'],
  [new TypeError('x is not a function'), 'internal_error'],
])('%s ends an attempt as %s', (error, reason) => {
  expect(endOfError(error)).toMatchObject({ reason });
});
