import { expect, test } from 'vitest';

import { timings } from '../timings.js';
import { queueSettings } from './queue-settings.js';

test('the defaults hold together', () => {
  expect(queueSettings()).toMatchObject({ lockDurationMs: 10_000, lockRenewMs: 2_000 });
  expect(timings()).toEqual({ heartbeatMs: 1_000, workerLostAfterMs: 5_000, reconcileEveryMs: 1_000 });
});

test('a lock that runs out between two renewals is refused, for BullMQ does not check it', () => {
  expect(() => queueSettings({ lockDurationMs: 1_000, lockRenewMs: 500, stalledCheckMs: 500 })).toThrow(
    'the queue settings: "lockRenewMs" is 500: that is not less than half of lockDurationMs, so that one late renewal would ' +
      'lose the lock. Lower it, or raise lockDurationMs.',
  );
  expect(() => queueSettings({ lockDurationMs: 1_000, lockRenewMs: 100 })).toThrow(
    '"stalledCheckMs" is 3000 by default: that is longer than lockDurationMs',
  );
  expect(() => queueSettings({ maxStalledCount: 10 })).toThrow('"maxStalledCount" is 10; it must be at least');
});

test('a patience that one late heartbeat exhausts is refused', () => {
  expect(() => timings({ heartbeatMs: 500, workerLostAfterMs: 1_000 })).toThrow(
    '"workerLostAfterMs" is 1000: that is not more than twice heartbeatMs',
  );
});
