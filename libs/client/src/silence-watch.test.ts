import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { SilenceWatch } from './silence-watch.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('a stream may miss three of the heartbeats that its server has announced, and not four', async () => {
  const watch = new SilenceWatch();
  watch.expect('15000');
  const bytes = watch.watched(afterEachPause([59_000, 59_000, 61_000]));
  for (let chunk = 0; chunk < 2; chunk += 1) {
    const read = bytes.next();
    await vi.advanceTimersByTimeAsync(59_000);
    await read;
    expect(watch.signal.aborted).toBe(false);
  }
  void bytes.next();
  await vi.advanceTimersByTimeAsync(61_000);
  expect(watch.signal.aborted).toBe(true);
});

test('the time that a reader takes over what has come is no silence', async () => {
  const watch = new SilenceWatch();
  watch.expect('100');
  const bytes = watch.watched(afterEachPause([0, 0]));
  const read = bytes.next();
  await vi.advanceTimersByTimeAsync(0);
  await read;
  // A pager shows it to somebody who has gone for lunch.
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(watch.signal.aborted).toBe(false);
  const next = bytes.next();
  await vi.advanceTimersByTimeAsync(0);
  expect(await next).toMatchObject({ done: false });
  watch.end();
});

test('a server that says nothing of heartbeats, or nonsense, may be silent for a minute', async () => {
  for (const told of [null, 'often', '-1']) {
    const watch = new SilenceWatch();
    watch.expect(told);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(watch.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(watch.signal.aborted).toBe(true);
  }
});

async function* afterEachPause(pausesMs: readonly number[]): AsyncGenerator<Uint8Array> {
  for (const pauseMs of pausesMs) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    yield new Uint8Array(1);
  }
}
