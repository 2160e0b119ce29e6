import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  acquireLease,
  CheckpointStore,
  type CheckpointStoreOptions,
  openObjectStore,
  type Lease,
  readHead,
  type Snapshot,
} from '../src/index.js';
import { writeSnapshotFiles } from './snapshot-folder.js';
import { UnreliableStore } from './unreliable-store.js';

const PREFIX = 'experiments/exp_1';

/** What may happen to an experiment. Contents come from a small pool, so that checkpoints share blobs in every way. */
const happenings = fc.array(
  fc.record({
    kind: fc.constantFrom(
      'commit',
      'commit',
      'commit',
      'takeover',
      'restart',
      'restore',
      'blobFails',
      'headFails',
      'deleteFails',
    ),
    step: fc.integer({ min: 1, max: 5 }),
    contents: fc.array(fc.constantFrom('p', 'q', 'r', 's'), { minLength: 1, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 14 },
);

test('whatever happens, the last k checkpoints are whole, at least one, and nothing else is kept for long', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), happenings, async (keepLast, events) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'retention-'));
      try {
        await play(folder, keepLast, events);
      } finally {
        await rm(folder, { recursive: true });
      }
    }),
    { numRuns: 25 },
  );
});

/** Checkpoints of a run: how many batches each comes after the one before, its score, and whether that is told only with the next one. */
const runs = fc.array(
  fc.record({
    batches: fc.integer({ min: 1, max: 9 }),
    score: fc.option(fc.constantFrom(0.1, 0.2, 0.3, 0.4, Number.NaN), { nil: undefined }),
    isLate: fc.boolean(),
    disturbance: fc.option(fc.constantFrom('killed', 'killedUnanswered', 'triedAgain', 'stoppedAtOnce'), {
      nil: undefined,
    }),
  }),
  { minLength: 3, maxLength: 10 },
);

const policies = fc.record({
  keepLast: fc.integer({ min: 1, max: 3 }),
  keepEvery: fc.integer({ min: 1, max: 15 }),
  keepBest: fc.record({ mode: fc.constantFrom('min' as const, 'max' as const), count: fc.integer({ min: 1, max: 3 }) }),
});

test('a run that is killed and goes on keeps at least what the undisturbed one does, and ends with exactly the same', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(policies, runs, async (policy, planned) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'retention-'));
      // Until as many were written as are kept, older ones stay of which the last attempt does not know that they are whole.
      const rest = Array.from({ length: policy.keepLast }, (): Planned => ({
        batches: 1,
        score: undefined,
        isLate: false,
        disturbance: undefined,
      }));
      const run = [...planned, ...rest];
      try {
        const undisturbed = await keptIn(
          path.join(folder, 'a'),
          policy,
          run.map((each) => ({ ...each, disturbance: undefined })),
        );
        const disturbed = await keptIn(path.join(folder, 'b'), policy, run);
        for (const [index, kept] of undisturbed.entries())
          expect(disturbed[index]).toEqual(expect.arrayContaining(kept));
        expect(disturbed.at(-1)).toEqual(undisturbed.at(-1));
        for (const { disturbance } of planned) if (disturbance !== undefined) seen.add(disturbance);
      } finally {
        await rm(folder, { recursive: true });
      }
    }),
    { numRuns: 12 },
  );
  expect(seen.size).toBe(4);
});

type Planned = typeof runs extends fc.Arbitrary<(infer E)[]> ? E : never;

/** The steps that are kept after each checkpoint of a run, each with its score. */
async function keptIn(folder: string, policy: CheckpointStoreOptions, run: readonly Planned[]): Promise<string[][]> {
  const store = new UnreliableStore(await openObjectStore(`file:${path.join(folder, 'objects')}`));
  let checkpoints = new CheckpointStore(store, PREFIX, policy);
  let lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'a' });
  const kept: string[][] = [];
  let step = 0;
  let before: Snapshot['scoreBefore'];
  for (const { batches, score, isLate, disturbance } of run) {
    step += batches;
    const told = {
      ...(!isLate && score !== undefined && { score }),
      ...(before !== undefined && { scoreBefore: before }),
    };
    const failed = failureOf(disturbance);
    if (failed !== undefined) {
      store.failNext({ method: 'compareAndSet', ...failed });
      await expect(commit(told)).rejects.toThrow(failed.error);
      store.checkAllFailed();
    }
    if (disturbance?.startsWith('killed') === true) await goOn();
    // What is not committed is trained again; what is, is not.
    if (failed === undefined || (await newestStep()) !== step || disturbance === 'triedAgain') await commit(told);
    if (disturbance === 'stoppedAtOnce') {
      await goOn();
      await commit({});
    }
    before = isLate && score !== undefined ? { step, score } : undefined;
    await checkpoints.settled();
    const named = (await readHead(store, PREFIX))?.checkpoints ?? [];
    kept.push([...new Set(named.map((entry) => `${entry.step}: ${entry.score}`))]);
  }
  return kept;

  async function commit(scores: Pick<Snapshot, 'score' | 'scoreBefore'>): Promise<void> {
    const snapshot = await writeSnapshotFiles(path.join(folder, 'snapshots'), step, { state: `contents of ${step}` });
    await checkpoints.commit(lease, { ...snapshot, ...scores });
  }

  async function goOn(): Promise<void> {
    lease = await acquireLease(store, PREFIX, { fence: lease.fence + 1, holder: 'a' });
    checkpoints = new CheckpointStore(store, PREFIX, policy);
    await checkpoints.newestValid(path.join(folder, 'restored'));
  }

  async function newestStep(): Promise<number | undefined> {
    return (await readHead(store, PREFIX))?.checkpoints[0]?.step;
  }
}

function failureOf(
  disturbance: Planned['disturbance'],
): { readonly when: 'before' | 'after'; readonly error: Error } | undefined {
  const error = new Error('the network is down');
  if (disturbance === 'killed') return { when: 'before', error };
  if (disturbance === 'killedUnanswered' || disturbance === 'triedAgain') return { when: 'after', error };
  return undefined;
}

type Happening = typeof happenings extends fc.Arbitrary<(infer E)[]> ? E : never;

async function play(folder: string, keepLast: number, events: readonly Happening[]): Promise<void> {
  const store = new UnreliableStore(await openObjectStore(`file:${path.join(folder, 'objects')}`));
  let checkpoints = new CheckpointStore(store, PREFIX, { keepLast });
  let lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'a' });
  let committed: { step: number; contents: readonly string[] }[] = [];

  for (const { kind, step, contents } of events) {
    if (kind === 'takeover') lease = await acquireLease(store, PREFIX, { fence: lease.fence + 1, holder: 'b' });
    else if (kind === 'restart') checkpoints = new CheckpointStore(store, PREFIX, { keepLast });
    else if (kind === 'restore') await checkpoints.newestValid(path.join(folder, 'restored'));
    else {
      const failed = await commit(kind);
      if (!failed) committed = [{ step, contents }, ...committed];
    }
    const head = await readHead(store, PREFIX);
    expect(head?.checkpoints.length).toBeLessThanOrEqual(2 * keepLast);
    expect(head?.checkpoints.length).toBeGreaterThanOrEqual(Math.min(1, committed.length));
    const newest = await new CheckpointStore(store, PREFIX).newestValid(path.join(folder, 'checked'));
    expect(newest.rejected).toEqual([]);
    expect(newest.manifest?.step).toBe(committed[0]?.step);
    for (const [index, content] of (committed[0]?.contents ?? []).entries()) {
      expect(await readFile(path.join(newest.folder ?? '', `file-${index}`), 'utf8')).toBe(content);
    }
    await checkEveryRetainedIsWhole(store, folder);

    async function commit(fault: string): Promise<boolean> {
      const error = new Error('the network is down');
      if (fault === 'blobFails') store.failNext({ method: 'put', when: 'before', error });
      if (fault === 'headFails') store.failNext({ method: 'compareAndSet', when: 'before', error });
      if (fault === 'deleteFails') store.failNext({ method: 'delete', when: 'before', error });
      const files = Object.fromEntries(contents.map((content, index) => [`file-${index}`, content]));
      const snapshot = await writeSnapshotFiles(path.join(folder, 'snapshots'), step, files);
      const result = await checkpoints.commit(lease, snapshot).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      await checkpoints.settled();
      expect(result).toBe(fault === 'blobFails' || fault === 'headFails' ? error : undefined);
      // There may have been nothing to remove.
      if (fault === 'deleteFails') store.forgetFaults();
      store.checkAllFailed();
      return result !== undefined;
    }
  }
  await checkNothingElseIsKept(store, lease, keepLast, folder);
}

/** Restores each checkpoint of the head by itself, newest first, as if all newer ones were gone. */
async function checkEveryRetainedIsWhole(store: UnreliableStore, folder: string): Promise<void> {
  for (const { manifestKey } of (await readHead(store, PREFIX))?.checkpoints ?? []) {
    for (const blobKey of blobsOf(await store.get(manifestKey))) {
      const got = await store.download(blobKey, path.join(folder, 'blob'));
      expect(got?.sha256).toBe(path.basename(blobKey).replace(/-\d+$/u, ''));
    }
  }
}

/** After a last takeover and commit, in which nothing fails, the store holds what the head names. */
async function checkNothingElseIsKept(
  store: UnreliableStore,
  lease: Lease,
  keepLast: number,
  folder: string,
): Promise<void> {
  const last = await acquireLease(store, PREFIX, { fence: lease.fence + 1, holder: 'c' });
  const snapshot = await writeSnapshotFiles(path.join(folder, 'snapshots'), 9, { 'file-0': 'p', 'file-1': 'last' });
  const checkpoints = new CheckpointStore(store, PREFIX, { keepLast });
  await checkpoints.commit(last, snapshot);
  await checkpoints.settled();
  const named = new Set([`${PREFIX}/head.json`]);
  for (const { manifestKey, copyKey = manifestKey } of last.head().checkpoints) {
    named.add(manifestKey).add(copyKey);
    for (const blobKey of blobsOf(await store.get(manifestKey))) named.add(blobKey);
  }
  const stored = new Set<string>();
  for await (const { key } of store.list(PREFIX)) stored.add(key);
  expect(stored).toEqual(named);
}

function blobsOf(manifest: Uint8Array | undefined): string[] {
  const text = Buffer.from(manifest ?? []).toString();
  const keys = [...text.matchAll(/"(?:blobKey|copyKey)": "([^"]+)"/gu)].map(([, blobKey = '']) => blobKey);
  if (keys.length === 0) throw new Error('a retained manifest is missing, or names no blob');
  return keys;
}
