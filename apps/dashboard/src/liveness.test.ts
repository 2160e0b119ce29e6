import { expect, test } from 'vitest';

import { liveness, livenessText, REFRESH_MS } from './liveness.js';

/** By a clock that is never set, and by the calendar. */
const AT = 5_000;
const DATE = new Date(2026, 0, 1, 14, 3, 5).getTime();

test('the page is live until three refreshes have stayed without an answer, and says since when it is not', () => {
  const after = (ms: number): string => livenessText(liveness(AT, false, AT + ms), DATE + ms);
  expect(after(0)).toBe('Live');
  expect(after(3 * REFRESH_MS)).toBe('Live');
  expect(after(3 * REFRESH_MS + 1)).toBe('Not live since 14:03:05');
});

test('a clock that is set makes nothing live or silent', () => {
  const hour = 3_600_000;
  expect(livenessText(liveness(AT, false, AT + 1), DATE + hour)).toBe('Live');
  expect(livenessText(liveness(AT, false, AT + 4 * REFRESH_MS), DATE - hour)).toMatch(/^Not live since 13:02:57$/);
});

test('a request that failed says so at once', () => {
  expect(livenessText(liveness(AT, true, AT + 1), DATE + 1)).toBe('No connection since 14:03:05');
  expect(livenessText(liveness(undefined, true, AT), DATE)).toBe('No connection');
  expect(livenessText(liveness(undefined, false, AT), DATE)).toBe('Connecting');
});
