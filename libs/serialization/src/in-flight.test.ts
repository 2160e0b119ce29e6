import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type FlightSignals, inFlight } from './in-flight.js';

const NEVER = new AbortController().signal;
const ITEMS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Ends when it is told to. */
class Work {
  readonly begun: number[] = [];
  readonly ended: number[] = [];
  readonly signals = new Map<number, AbortSignal>();
  readonly #ends = new Map<number, (error?: Error) => void>();

  readonly do = async (item: number, { wanted }: Required<FlightSignals>): Promise<void> => {
    this.begun.push(item);
    this.signals.set(item, wanted);
    await new Promise<void>((resolve, reject) => {
      this.#ends.set(item, (error) => (error === undefined ? resolve() : reject(error)));
    });
    this.ended.push(item);
  };

  async end(item: number, error?: Error): Promise<void> {
    this.#ends.get(item)?.(error);
    await setImmediate();
  }
}

test('four at once, begun in their order', async () => {
  const work = new Work();
  const all = inFlight(ITEMS, { leaving: NEVER }, work.do);
  expect(work.begun).toEqual([0, 1, 2, 3]);
  for (const item of [2, 0, 4, 3]) await work.end(item);
  expect(work.begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (const item of [1, 5, 6, 7, 8, 9]) await work.end(item);
  await all;
  expect(work.ended.toSorted((a, b) => a - b)).toEqual(ITEMS);
});

test('when one fails the others are told and waited for, no more are begun, and the first error is thrown', async () => {
  const work = new Work();
  let isOver = false;
  const all = inFlight(ITEMS, { leaving: NEVER }, work.do).finally(() => (isOver = true));
  all.catch(() => undefined);
  await work.end(1, new Error('the first'));
  for (const { reason } of work.signals.values()) expect(String(reason)).toContain('it is wanted no more');
  await work.end(2, new Error('the second'));
  await work.end(0);
  expect(isOver).toBe(false);
  await work.end(3);
  await expect(all).rejects.toThrow('the first');
  expect(work.begun).toEqual([0, 1, 2, 3]);
});

test('nothing is waited for once the signal is aborted', async () => {
  const work = new Work();
  const lost = new AbortController();
  const all = inFlight(ITEMS, { leaving: lost.signal }, work.do);
  lost.abort(new Error('the lease is lost'));
  await expect(all).rejects.toThrow('the lease is lost');
  expect(work.ended).toEqual([]);
  await expect(inFlight(ITEMS, { leaving: lost.signal }, work.do)).rejects.toThrow('the lease is lost');
  expect(work.begun).toEqual([0, 1, 2, 3]);
});

test('one alone is done, fails and is left as one of many', async () => {
  const work = new Work();
  const done = inFlight([1], { leaving: NEVER }, work.do);
  await work.end(1);
  await done;
  const failing = inFlight([2], { leaving: NEVER }, work.do);
  failing.catch(() => undefined);
  await work.end(2, new Error('the only one'));
  await expect(failing).rejects.toThrow('the only one');
  const lost = new AbortController();
  const left = inFlight([3], { leaving: lost.signal }, work.do);
  lost.abort(new Error('the lease is lost'));
  await expect(left).rejects.toThrow('the lease is lost');
  const unwanted = AbortSignal.abort(new Error('it is wanted no more'));
  await expect(inFlight([4], { leaving: NEVER, wanted: unwanted }, work.do)).rejects.toThrow('it is wanted no more');
  expect(work.begun).toEqual([1, 2, 3]);
});

test('of nothing there is nothing to wait for', async () => {
  await inFlight([], { leaving: NEVER }, async () => expect.unreachable());
});

test('what is wanted no more is told, and waited for all the same', async () => {
  const work = new Work();
  const wanted = new AbortController();
  let isOver = false;
  const all = inFlight(ITEMS, { leaving: NEVER, wanted: wanted.signal }, work.do).finally(() => (isOver = true));
  all.catch(() => undefined);
  wanted.abort(new Error('the log could not be written'));
  expect([...work.signals.values()].every(({ aborted }) => aborted)).toBe(true);
  for (const item of [0, 1, 2]) await work.end(item);
  expect(isOver).toBe(false);
  await work.end(3);
  await expect(all).rejects.toThrow('the log could not be written');
  expect(work.begun).toEqual([0, 1, 2, 3]);
});
