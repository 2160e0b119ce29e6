import { expect, test } from 'vitest';

import { timings } from '../timings.js';
import { queueSettings } from './queue-settings.js';

test('the defaults hold together', () => {
  expect(queueSettings()).toMatchObject({ lockDurationMs: 10_000, lockRenewMs: 2_000 });
  expect(timings()).toEqual({ heartbeatMs: 1_000, workerLostAfterMs: 5_000, reconcileEveryMs: 1_000 });
});

test('a lock that runs out between two renewals is refused, for BullMQ does not check it', () => {
  expect(() => queueSettings({ lockDurationMs: 1_000, lockRenewMs: 500, stalledCheckMs: 500 })).toThrow(
    'lockRenewMs must be less than half of lockDurationMs',
  );
  expect(() => queueSettings({ lockDurationMs: 1_000, lockRenewMs: 100 })).toThrow('stalledCheckMs must not be longer');
  expect(() => queueSettings({ maxStalledCount: 10 })).toThrow('maxStalledCount');
});

test('a patience that one late heartbeat exhausts is refused', () => {
  expect(() => timings({ heartbeatMs: 500, workerLostAfterMs: 1_000 })).toThrow(
    'workerLostAfterMs must be more than twice',
  );
});
