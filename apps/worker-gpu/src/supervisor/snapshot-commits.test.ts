import { HandoverRefused } from '@longrun/platform/worker';
import { beforeEach, expect, test } from 'vitest';
import { type LocalSnapshot, SnapshotCommits } from './snapshot-commits.js';
import { FollowedFiles } from './snapshot-follower.js';

let dropped: AbortController;
let commits: SnapshotCommits;
let committed: number[];
let failures: unknown[];
/** Ends the commit that is under way. */
let finish: () => void;
let fail: (error: Error) => void;

beforeEach(() => {
  dropped = new AbortController();
  committed = [];
  failures = [];
  commits = new SnapshotCommits({
    dropped: dropped.signal,
    commit: async () => {
      await new Promise<void>((resolve, reject) => {
        finish = resolve;
        fail = reject;
      });
    },
    onCommitted: ({ step }) => committed.push(step),
    onFailure: (error) => failures.push(error),
  });
});

function snapshotOf(step: number): LocalSnapshot {
  const rows = { files: [], written: Promise.resolve(), discard: async () => {} };
  return { name: `step-${step}`, step, files: [], environment: {}, rows, followed: new FollowedFiles([]) };
}

const turn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

test('as many snapshots may wait as a trainer makes that waits for its worker, one at a time is committed', async () => {
  for (const step of [1, 2, 3]) commits.add(snapshotOf(step));
  for (const step of [1, 2, 3]) {
    await turn();
    expect(committed).toHaveLength(step - 1);
    finish();
  }
  await commits.settled();
  expect(committed).toEqual([1, 2, 3]);
  expect(failures).toEqual([]);
});

test('a trainer that does not wait is refused once, and nothing that waits is committed', async () => {
  commits.add(snapshotOf(1));
  await turn();
  for (let step = 2; step <= 1000; step += 1) commits.add(snapshotOf(step));
  finish();
  await commits.settled();
  expect(committed).toEqual([1]);
  expect(failures).toEqual([expect.any(HandoverRefused)]);
  expect(String(failures[0])).toContain('handed over step-4 while 3 snapshots before it were not committed');
});

test('what is dropped is passed over, and its commit that was given up is no failure', async () => {
  for (const step of [1, 2, 3]) commits.add(snapshotOf(step));
  await turn();
  dropped.abort();
  fail(new Error('given up'));
  await commits.settled();
  expect(committed).toEqual([]);
  expect(failures).toEqual([]);
});
