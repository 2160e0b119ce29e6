import { expect, test } from 'vitest';

import { jitteredPause } from './jittered-pause.js';

test('those that have failed together come back at different times', async () => {
  const back: number[] = [];
  const inOrder = Array.from({ length: 30 }, (_, number) => number);
  await Promise.all(
    inOrder.map(async (number) => {
      await jitteredPause(3, 50);
      back.push(number);
    }),
  );
  expect(back.toSorted((a, b) => a - b)).toEqual(inOrder);
  expect(back).not.toEqual(inOrder);
});

test('nobody is waited for who has given up', async () => {
  const gone = new AbortController();
  const pause = jitteredPause(6, 3_600_000, { signal: gone.signal });
  gone.abort(new Error('the client has left'));
  await expect(pause).rejects.toThrow('the client has left');
});
