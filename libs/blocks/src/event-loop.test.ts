import { expect, test } from 'vitest';

import { EventLoopBreaks } from './event-loop.js';

test('the event loop turns when it is time, and not before', async () => {
  const breaks = new EventLoopBreaks(5);
  let turned = false;
  setImmediate(() => {
    turned = true;
  });

  expect(breaks.takeIfDue()).toBeUndefined();
  const start = performance.now();
  while (performance.now() - start < 6);
  expect(turned).toBe(false);
  await breaks.takeIfDue();
  expect(turned).toBe(true);
  expect(breaks.takeIfDue()).toBeUndefined();
});
