import type { LiveEvent } from '@longrun/contracts';
import { expect, test } from 'vitest';
import { type EventBatch, Follower, MAX_WAITING, MAX_WAITING_ROW_BYTES } from './follower.js';

/** The only event of a batch stands for `length` of them. */
function batch(to: number, length: number, rowBytes: number): EventBatch {
  const event: LiveEvent = {
    type: 'log_row',
    id: to,
    at: '2026-01-01T00:00:00.000Z',
    data: { fence: 1, step: to, row: {} },
  };
  return { from: to - 1, to, events: Array.from({ length }, () => event), rowBytes };
}

test.each([
  ['many events', batch(2, MAX_WAITING, 0)],
  ['large rows', batch(2, 1, MAX_WAITING_ROW_BYTES)],
])('who lets too much wait (%s) is sent to the record, and goes on from there', async (_what, last) => {
  const follower = new Follower(undefined);
  follower.push(batch(1, 1, 1));
  follower.push(last);
  expect(await follower.live().next()).toEqual({ done: true, value: undefined });
  expect(follower.size).toBe(0);

  follower.push(batch(3, 1, MAX_WAITING_ROW_BYTES));
  const live = follower.live();
  expect((await live.next()).value).toMatchObject({ to: 3 });
  follower.push(batch(4, 1, MAX_WAITING_ROW_BYTES));
  expect((await live.next()).value).toMatchObject({ to: 4 });
});
