import { expect, test } from 'vitest';

import { EventLoopBreaks } from './event-loop.js';

test('the event loop turns when it is time, and not before', async () => {
  let now = 100;
  const breaks = new EventLoopBreaks(5, () => now);
  let turned = false;
  setImmediate(() => {
    turned = true;
  });

  now += 4;
  expect(breaks.takeIfDue()).toBeUndefined();
  now += 1;
  expect(turned).toBe(false);
  await breaks.takeIfDue();
  expect(turned).toBe(true);
  expect(breaks.takeIfDue()).toBeUndefined();
  now += 5;
  expect(breaks.takeIfDue()).toBeInstanceOf(Promise);
});
