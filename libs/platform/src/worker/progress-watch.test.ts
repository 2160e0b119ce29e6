import { BEAT_EVERY_MS } from '@longrun/contracts';
import { expect, test } from 'vitest';
import { ProgressWatch } from './progress-watch.js';

/** A child whose watchdog beats with every tick. */
class Child {
  readonly watch: ProgressWatch;
  #moves = 0;
  #steps = 0;

  constructor(stallMs: number | null = null) {
    this.watch = new ProgressWatch({ firstStepMs: 600_000, stallMs });
  }

  /** Gives no sign of life for so long; true if it counts as stalled at the end. */
  beSuspended(ms: number): boolean {
    let stalled = false;
    for (let passed = 0; passed < ms; passed += BEAT_EVERY_MS) stalled = this.watch.tick(false);
    return stalled;
  }

  /** Lives for so long; true if it counts as stalled at the end. */
  live(ms: number, isHeld = false): boolean {
    let stalled = false;
    for (let lived = 0; lived < ms; lived += BEAT_EVERY_MS) {
      this.watch.beat({ moves: this.#moves, steps: this.#steps });
      stalled = this.watch.tick(isHeld);
    }
    return stalled;
  }

  move(): void {
    this.#moves += 1;
  }

  /** Does steps of this duration. */
  step(count: number, ms: number): void {
    for (let done = 0; done < count; done += 1) {
      this.live(ms);
      this.#steps += 1;
      this.move();
      this.live(0);
      this.watch.beat({ moves: this.#moves, steps: this.#steps });
    }
  }
}

test('before the first step it may be silent for firstStepMs, and signs of progress start that anew', () => {
  const child = new Child();
  expect(child.live(599_000)).toBe(false);
  child.move();
  expect(child.live(599_000)).toBe(false);
  expect(child.live(2_000)).toBe(true);
});

test('quick steps may be followed by 120 s of silence, slow ones by 20 of them', () => {
  const quick = new Child();
  quick.step(5, 1_000);
  expect(quick.watch.limitMs).toBe(120_000);
  expect(quick.live(119_000)).toBe(false);
  expect(quick.live(2_000)).toBe(true);

  const slow = new Child();
  slow.step(5, 60_000);
  expect(slow.watch.medianStepMs).toBeGreaterThanOrEqual(60_000);
  expect(slow.watch.limitMs).toBeGreaterThanOrEqual(1_200_000);
  expect(slow.watch.limitMs).toBeLessThan(1_300_000);
});

test('the second step may take as long as the first: nothing tells how long a step takes', () => {
  const child = new Child();
  child.step(1, 300_000);
  expect(child.live(590_000)).toBe(false);
});

test('a limit that was given holds from the first step on', () => {
  const child = new Child(3_000);
  expect(child.live(10_000)).toBe(false);
  child.step(1, 1_000);
  expect(child.live(2_500)).toBe(false);
  expect(child.live(1_000)).toBe(true);
});

test('the median is not moved by a pause between epochs', () => {
  const child = new Child();
  child.step(9, 500);
  child.step(1, 100_000);
  child.step(9, 500);
  expect(child.watch.medianStepMs).toBeLessThanOrEqual(750);
});

test('a child without beats may be suspended: for 120 s, whatever was given, and then goes on as before', () => {
  const child = new Child(3_000);
  child.step(1, 0);
  expect(child.beSuspended(117_000)).toBe(false);
  expect(child.live(2_500)).toBe(false);
  child.move();
  expect(child.live(2_500)).toBe(false);
  expect(child.beSuspended(117_000)).toBe(false);
  expect(child.live(1_000)).toBe(true);
});

test('a child that gives no sign of life for longer than 120 s and the limit has stalled', () => {
  const child = new Child(3_000);
  child.step(1, 0);
  expect(child.beSuspended(121_000)).toBe(true);
  expect(child.watch.unheardMs).toBeGreaterThan(119_000);

  const slow = new Child();
  slow.step(5, 60_000);
  expect(slow.beSuspended(1_100_000)).toBe(false);
  expect(slow.beSuspended(200_000)).toBe(true);

  // It has not even begun.
  const absent = new Child();
  expect(absent.beSuspended(599_000)).toBe(false);
  expect(absent.beSuspended(2_000)).toBe(true);
});

test('a child that beats now and then and never moves has stalled too', () => {
  const child = new Child(10_000);
  child.step(1, 0);
  const ends: boolean[] = [];
  for (let round = 0; round < 13; round += 1) ends.push(child.beSuspended(10_000) || child.live(BEAT_EVERY_MS));
  expect(ends.indexOf(true)).toBe(11);
});

test('time in which this process did not run does not count: it has not looked', () => {
  const child = new Child(3_000);
  child.step(1, 0);
  // A machine that sleeps for an hour has one tick more.
  expect(child.watch.tick(false)).toBe(false);
  expect(child.watch.silentMs).toBeLessThanOrEqual(2 * BEAT_EVERY_MS);
});

test('beats that piled up while this process was suspended count as one', () => {
  const child = new Child(3_000);
  child.step(1, 0);
  for (let beat = 0; beat < 1_000; beat += 1) child.watch.beat({ moves: 1, steps: 1 });
  expect(child.watch.tick(false)).toBe(false);
  expect(child.watch.silentMs).toBeLessThanOrEqual(BEAT_EVERY_MS);
});

test('a child that is held is not silent, and what follows counts from its end', () => {
  const child = new Child(3_000);
  child.step(1, 0);
  expect(child.live(100_000, true)).toBe(false);
  expect(child.live(2_500)).toBe(false);
  expect(child.live(1_000)).toBe(true);
});
