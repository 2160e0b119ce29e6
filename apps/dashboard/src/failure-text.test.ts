import { ApiUnreachable, NotLongrun } from '@longrun/client';
import { expect, test } from 'vitest';

import { failureText } from './failure-text.js';

test('an API that answers otherwise than this page knows is not called away', () => {
  expect(failureText(new NotLongrun('http://api answered, but not as a Longrun API of this version (items)'))).toBe(
    'http://api answered, but not as a Longrun API of this version (items). Reload this page: it may be older than the API.',
  );
  expect(failureText(new ApiUnreachable('gone', { how: 'not-connected' }))).toMatch(/does not answer/);
});
