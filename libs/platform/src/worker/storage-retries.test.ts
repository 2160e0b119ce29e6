import { LeaseLost, StoreStalled } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { StorageFailed, withStorageRetries } from './storage-retries.js';

function failing(times: number, error: Error): { tries: number; run: () => Promise<string> } {
  const operation = {
    tries: 0,
    run: async () => {
      operation.tries += 1;
      if (operation.tries <= times) throw error;
      return await Promise.resolve('done');
    },
  };
  return operation;
}

test('a store that fails for a while is asked again', async () => {
  const operation = failing(4, new Error('EIO'));
  expect(await withStorageRetries(operation.run, { what: 'commit', delayMs: 1 })).toBe('done');
  expect(operation.tries).toBe(5);
});

test('a store that keeps failing is given up with its last error', async () => {
  const operation = failing(100, new Error('ENOSPC: no space left'));
  const failure = withStorageRetries(operation.run, { what: 'commit step 5', attempts: 3, delayMs: 1 });
  await expect(failure).rejects.toThrow(StorageFailed);
  await expect(failure).rejects.toThrow('Could not commit step 5, tried 3 times: ENOSPC: no space left');
  expect(operation.tries).toBe(3);
});

test('a lost lease is not asked for again', async () => {
  const operation = failing(1, new LeaseLost('taken by fence 3', 'taken'));
  await expect(withStorageRetries(operation.run, { what: 'commit' })).rejects.toThrow(LeaseLost);
  expect(operation.tries).toBe(1);
});

test('a store that has stalled was waited for, and is not asked again', async () => {
  const operation = failing(100, new StoreStalled('it has moved nothing for 600 s'));
  const failure = withStorageRetries(operation.run, { what: 'commit step 5', delayMs: 1 });
  await expect(failure).rejects.toThrow(new StorageFailed('Could not commit step 5: it has moved nothing for 600 s'));
  expect(operation.tries).toBe(1);
});

test('who has to leave waits for no answer and does not try again', async () => {
  const leaves = new AbortController();
  let tries = 0;
  const failure = withStorageRetries(
    async () => {
      tries += 1;
      return await new Promise<never>(() => {});
    },
    { what: 'commit', signal: leaves.signal },
  );
  leaves.abort();
  await expect(failure).rejects.toThrow(StorageFailed);
  await expect(failure).rejects.toThrow('Could not commit before this attempt had to end');
  expect(tries).toBe(1);
});
