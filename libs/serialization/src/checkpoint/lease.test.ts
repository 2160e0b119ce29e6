import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { NewerState } from '../state.js';
import type { ObjectStore } from '../store/object-store.js';
import { openObjectStore } from '../store/open-object-store.js';
import { UnreliableStore } from '../../test/unreliable-store.js';
import { HeadDamaged, isReleased, readHead } from './head.js';
import { acquireLease, LeaseRefused } from './lease.js';

const PREFIX = 'experiments/exp_1';
const CHECKPOINTS = [{ manifestKey: `${PREFIX}/checkpoints/10-3.json`, sha256: 'ab', step: 10 }];

let folder: string;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lease-'));
  store = await openObjectStore(`file:${folder}`);
});
afterEach(() => rm(folder, { recursive: true }));

test('before any lease there is no head', async () => {
  expect(await readHead(store, PREFIX)).toBeUndefined();
});

test('taking a lease writes fence and holder to the head', async () => {
  const lease = await acquireLease(store, PREFIX, { fence: 3, holder: 'worker-a' });
  expect(lease).toMatchObject({ prefix: PREFIX, fence: 3, holder: 'worker-a' });
  expect(await readHead(store, PREFIX)).toEqual(lease.head());
  expect(lease.head()).toMatchObject({ version: 3, fence: 3, holder: 'worker-a', checkpoints: [], outcome: null });
});

test('a higher fence takes the lease, and the one before it finds out', async () => {
  const zombie = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
  expect(await zombie.isHeld()).toBe(true);
  await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  expect(zombie.signal.aborted).toBe(false);
  expect(await zombie.isHeld()).toBe(false);
  expect(zombie.signal.reason).toMatchObject({ name: 'LeaseLost', reason: 'taken' });
  await expect(zombie.end('cancelled')).rejects.toThrow(
    'lease of experiments/exp_1: that of fence 1 (worker-a) was taken by fence 2 (worker-b); stop this attempt, it cannot commit',
  );
  expect(await readHead(store, PREFIX)).toMatchObject({ fence: 2, outcome: null });
});

test('a lease whose answer was lost is held by whoever tries again, and by nobody else', async () => {
  const unreliable = new UnreliableStore(store);
  unreliable.failNext({ method: 'compareAndSet', when: 'after', error: new Error('the answer was lost') });
  const claim = { fence: 1, holder: 'worker-a', claim: 'a' };
  await expect(acquireLease(unreliable, PREFIX, claim)).rejects.toThrow('the answer was lost');
  await expect(acquireLease(unreliable, PREFIX, { ...claim, claim: 'b' })).rejects.toThrow(LeaseRefused);
  const lease = await acquireLease(unreliable, PREFIX, claim);
  await lease.end('succeeded');
  unreliable.checkAllFailed();
});

test.each([1, 2])('fence %i is refused once fence 2 was taken, also to the same holder', async (fence) => {
  await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-a' });
  const refusal = await acquireLease(store, PREFIX, { fence, holder: 'worker-a' }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(LeaseRefused);
  expect(refusal).toMatchObject({ reason: 'stale_fence', head: { fence: 2 } });
  expect(String(refusal)).toContain(`refused to fence ${fence}, as fence 2 (worker-a) has taken it`);
});

test('once it has ended nobody takes the lease, and nobody ends it again', async () => {
  const lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
  await lease.end({ status: 'cancelled' });
  expect(await readHead(store, PREFIX)).toMatchObject({ fence: 1, outcome: { status: 'cancelled' } });
  await expect(acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' })).rejects.toMatchObject({
    name: 'LeaseRefused',
    reason: 'already_ended',
    head: { outcome: { status: 'cancelled' } },
  });
  await expect(lease.end('again')).rejects.toThrow('has ended with outcome {"status":"cancelled"}');
});

test('an outcome of null is refused, as it would end nothing', async () => {
  const lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
  await expect(lease.end(null)).rejects.toThrow('outcome is null, which means not ended');
});

test('of many that take one fence at once exactly one gets it', async () => {
  const claims = Array.from({ length: 20 }, () => acquireLease(store, PREFIX, { fence: 1, holder: 'same-name' }));
  const results = await Promise.allSettled(claims);
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  expect(refusals).toHaveLength(19);
  for (const refusal of refusals) expect(refusal).toMatchObject({ reason: 'stale_fence' });
});

test('of many that take different fences at once only the highest holds the lease in the end', async () => {
  const fences = [3, 9, 1, 7, 5, 8, 2, 6, 4];
  const results = await Promise.allSettled(
    fences.map((fence) => acquireLease(store, PREFIX, { fence, holder: `worker-${fence}` })),
  );
  expect(await readHead(store, PREFIX)).toMatchObject({ fence: 9, holder: 'worker-9' });
  for (const result of results) {
    if (result.status === 'rejected') continue;
    expect(await result.value.isHeld()).toBe(result.value.fence === 9);
  }
  expect(results[1]?.status).toBe('fulfilled');
});

test('what writes under a lease that another has taken finds out, and aborts its signal', async () => {
  const watched = new UnreliableStore(store);
  const zombie = await acquireLease(watched, PREFIX, { fence: 1, holder: 'worker-a' });
  await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  const loss: unknown = await zombie.end('done').catch((error: unknown) => error);
  expect(loss).toMatchObject({ name: 'LeaseLost', reason: 'taken' });
  expect(zombie.signal.reason).toBe(loss);
  watched.calls.length = 0;
  await expect(zombie.end('done')).rejects.toBe(loss);
  expect(watched.calls).toEqual([]);
});

test('a lease that is held, and one whose store does not answer, is not lost', async () => {
  const unreliable = new UnreliableStore(store);
  const lease = await acquireLease(unreliable, PREFIX, { fence: 1, holder: 'worker-a' });
  unreliable.failNext({ method: 'readRegister', when: 'before', error: new Error('the network is down') });
  await expect(lease.isHeld()).rejects.toThrow('the network is down');
  unreliable.failNext({ method: 'compareAndSet', when: 'before', error: new Error('the network is down') });
  await expect(lease.end('done')).rejects.toThrow('the network is down');
  unreliable.checkAllFailed();
  expect(lease.signal.aborted).toBe(false);
  expect(await lease.isHeld()).toBe(true);
});

test('it is asked whether a lease is held while other work of it takes long', async () => {
  const unreliable = new UnreliableStore(store);
  const lease = await acquireLease(unreliable, PREFIX, { fence: 1, holder: 'worker-a' });
  let finish = (): void => undefined;
  const work = lease.exclusive(async () => await new Promise<void>((resolve) => (finish = resolve)));
  expect(await lease.isHeld()).toBe(true);
  await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  expect(await lease.isHeld()).toBe(false);
  finish();
  await work;
});

test('once it has ended its signal says so', async () => {
  const lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
  await lease.end('done');
  expect(lease.signal.reason).toMatchObject({ name: 'LeaseLost', reason: 'ended' });
  await expect(lease.release()).rejects.toThrow('has ended with outcome "done"');
  expect(await readHead(store, PREFIX)).toMatchObject({ outcome: 'done', claim: lease.head().claim });
});

test('a lease that is released is nobody’s: nothing more is written under it, and a higher fence takes it', async () => {
  const claim = { fence: 3, holder: 'worker-a', claim: 'a claim' };
  const lease = await acquireLease(store, PREFIX, claim);
  await lease.write((head) => ({ ...head, checkpoints: CHECKPOINTS }));
  expect(isReleased(lease.head())).toBe(false);
  await lease.release();
  expect(lease.signal.reason).toMatchObject({ name: 'LeaseLost', reason: 'released' });
  expect(await lease.isHeld()).toBe(false);
  await expect(lease.end('done')).rejects.toThrow(
    'lease of experiments/exp_1: that of fence 3 (worker-a) was released; nothing more can be written under it',
  );
  const head = await readHead(store, PREFIX);
  expect(head).toMatchObject({ fence: 3, holder: 'worker-a', checkpoints: CHECKPOINTS, outcome: null });
  expect(head !== undefined && isReleased(head)).toBe(true);
  // Also for whoever tries the same claim again.
  for (const again of [claim, { fence: 3, holder: 'worker-b' }])
    await expect(acquireLease(store, PREFIX, again)).rejects.toMatchObject({ reason: 'stale_fence' });
  const next = await acquireLease(store, PREFIX, { fence: 4, holder: 'worker-b' });
  expect(isReleased(next.head())).toBe(false);
  expect(next.head().checkpoints).toEqual(CHECKPOINTS);
  await lease.release();
  await next.end('done');
});

test('a release waits for other work of its lease, and one that was taken meanwhile is left alone', async () => {
  const lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
  const writing = lease.exclusive(async () => {
    await lease.write((head) => ({ ...head, checkpoints: CHECKPOINTS }));
  });
  await Promise.all([lease.release(), writing]);
  expect(await readHead(store, PREFIX)).toMatchObject({ checkpoints: CHECKPOINTS, claim: '' });
  const zombie = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  const next = await acquireLease(store, PREFIX, { fence: 3, holder: 'worker-c' });
  await expect(zombie.release()).rejects.toThrow('was taken by fence 3 (worker-c)');
  expect(await next.isHeld()).toBe(true);
});

test.each(['before', 'after'] as const)('a release that fails %s it was written is tried again', async (when) => {
  const unreliable = new UnreliableStore(store);
  const lease = await acquireLease(unreliable, PREFIX, { fence: 1, holder: 'worker-a' });
  unreliable.failNext({ method: 'compareAndSet', when, error: new Error('the network is down') });
  await expect(lease.release()).rejects.toThrow('the network is down');
  unreliable.checkAllFailed();
  // Whatever the head says: it is not this lease's to write any more.
  await expect(lease.end('done')).rejects.toMatchObject({ reason: 'released' });
  await lease.release();
  expect(await readHead(store, PREFIX)).toMatchObject({ claim: '', outcome: null });
});

test('a head that was released is readable by builds that know of no release, as one that another holds', async () => {
  const lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
  await lease.release();
  const { bytes } = (await store.readRegister(`${PREFIX}/head.json`)) ?? { bytes: Buffer.of() };
  const asBefore = { version: 2, fence: 1, holder: 'worker-a', claim: '', checkpoints: [], log: null, outcome: null };
  expect(JSON.parse(Buffer.from(bytes).toString())).toEqual(asBefore);
});

test('an empty claim is refused, as it would be that of nobody', async () => {
  await expect(acquireLease(store, PREFIX, { fence: 1, holder: 'x', claim: '' })).rejects.toThrow('claim is empty');
});

test.each([-1, 1.5, Number.NaN])('fence %s is refused', async (fence) => {
  await expect(acquireLease(store, PREFIX, { fence, holder: 'x' })).rejects.toThrow(RangeError);
});

test.each([
  ['version 1', { version: 1, epoch: 3 }],
  ['the first of version 2', { version: 2, fence: 3 }],
])('a head of a build that kept no log after the last checkpoint is gone on from: %s', async (_, layout) => {
  const checkpoints = [{ manifestKey: `${PREFIX}/checkpoints/10-3.json`, sha256: 'ab', step: 10 }];
  const old = { ...layout, holder: 'worker-a', claim: 'a claim', checkpoints, outcome: null };
  await store.compareAndSet(`${PREFIX}/head.json`, null, Buffer.from(JSON.stringify(old)));
  expect(await readHead(store, PREFIX)).toMatchObject({ version: 3, fence: 3, checkpoints, log: null, outcome: null });
  const lease = await acquireLease(store, PREFIX, { fence: 4, holder: 'worker-b' });
  await lease.end('done');
  expect(await readHead(store, PREFIX)).toMatchObject({ fence: 4, checkpoints, log: null, outcome: 'done' });
});

test('a head of a newer build, or something else in its place, is refused with the remedy', async () => {
  await store.compareAndSet('a/head.json', null, Buffer.from('{"version":4}'));
  await expect(readHead(store, 'a')).rejects.toThrow(NewerState);
  await expect(acquireLease(store, 'a', { fence: 1, holder: 'x' })).rejects.toThrow(
    'a/head.json: saved state has version 4, this build reads 1..3; it was written by a newer build',
  );
  await store.compareAndSet('b/head.json', null, Buffer.from('{"version":2,"fence":"x"}'));
  await expect(readHead(store, 'b')).rejects.toThrow(/b\/head\.json has another form than its version says.*fence/su);
  await store.compareAndSet('c/head.json', null, Buffer.from('hello'));
  for (const damaged of ['b', 'c']) await expect(readHead(store, damaged)).rejects.toThrow(HeadDamaged);
  await expect(readHead(store, 'c')).rejects.toThrow('c/head.json is not a JSON object with a version');
});
