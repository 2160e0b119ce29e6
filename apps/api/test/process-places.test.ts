import { expect, test } from 'vitest';
import { type Lodger, ProcessPlaces } from '../src/programs/process-places.js';

/** One that lives until it is let go. */
class Guest implements Lodger {
  isEnding = false;

  async end(): Promise<void> {
    this.isEnding = true;
  }
}

test('for one who waits one process is ended, and what rests while that one ends is left alone', async () => {
  const places = new ProcessPlaces(2);
  const [first, second] = [new Guest(), new Guest()];
  await places.take();
  await places.take();
  const third = places.take();
  places.rest(first);
  places.rest(second);
  expect([first.isEnding, second.isEnding]).toEqual([true, false]);
  places.leave(first);
  await third;
  // The one that was left alone is ended for the next who waits.
  const fourth = places.take();
  expect(second.isEnding).toBe(true);
  places.leave(second);
  await fourth;
});

test('for two who wait two are ended, also one that had begun to rest before them', async () => {
  const places = new ProcessPlaces(2);
  const [first, second] = [new Guest(), new Guest()];
  await places.take();
  await places.take();
  places.rest(first);
  const turns = [places.take(), places.take()];
  expect([first.isEnding, second.isEnding]).toEqual([true, false]);
  places.rest(second);
  expect(second.isEnding).toBe(true);
  places.leave(first);
  places.leave(second);
  await Promise.all(turns);
});
