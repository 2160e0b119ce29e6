import { expect, test } from 'vitest';

import { liveness, livenessText, REFRESH_MS } from './liveness.js';

const AT = new Date(2026, 0, 1, 14, 3, 5).getTime();

test('the page is live until three refreshes have stayed without an answer, and says since when it is not', () => {
  expect(livenessText(liveness(AT, false, AT))).toBe('Live');
  expect(livenessText(liveness(AT, false, AT + 3 * REFRESH_MS))).toBe('Live');
  expect(livenessText(liveness(AT, false, AT + 3 * REFRESH_MS + 1))).toBe('Not live since 14:03:05');
});

test('a request that failed says so at once', () => {
  expect(livenessText(liveness(AT, true, AT + 1))).toBe('No connection since 14:03:05');
  expect(livenessText(liveness(0, true, AT))).toBe('No connection');
  expect(livenessText(liveness(0, false, AT))).toBe('Connecting');
});
