import { expect, test } from 'vitest';

import { readWorkerConfiguration } from '../worker/worker-process.js';
import { timings } from '../timings.js';
import * as limits from './limits.js';
import { ConfigurationError, readVariables } from './read-variables.js';
import { variables } from './variables.js';

test('what is said by a variable and what is said in code have the same default and limits', () => {
  expect(timings()).toMatchObject({
    heartbeatMs: readVariables({ LONGRUN_HEARTBEAT_MS: variables.LONGRUN_HEARTBEAT_MS }, {}).LONGRUN_HEARTBEAT_MS,
    workerLostAfterMs: readVariables({ LONGRUN_WORKER_LOST_MS: variables.LONGRUN_WORKER_LOST_MS }, {})
      .LONGRUN_WORKER_LOST_MS,
  });
  expect(readWorkerConfiguration({})).toMatchObject({
    heartbeatMs: limits.heartbeatMs.byDefault,
    graceMs: limits.graceMs.byDefault,
  });
  const { least, most } = limits.heartbeatMs;
  for (const heartbeatMs of [least - 1, most + 1]) {
    expect(() => timings({ heartbeatMs, workerLostAfterMs: 3 * most })).toThrow('heartbeatMs');
    expect(() => readWorkerConfiguration({ LONGRUN_HEARTBEAT_MS: String(heartbeatMs) })).toThrow(
      new ConfigurationError(
        `LONGRUN_HEARTBEAT_MS: "${heartbeatMs}" is not a whole number from ${least} to ${most}; give milliseconds`,
      ),
    );
  }
});

test('every value that cannot be is named, with its remedy, and no secret is repeated', () => {
  const bad = {
    LONGRUN_OBJECTS: '/data',
    REDIS_URL: 'hunter2@redis',
    LONGRUN_REDIS_PREFIX: 'my lab',
    DATABASE_URL: 'mysql://me:hunter2@db',
    LONGRUN_URL: 'localhost:4000',
    LONGRUN_TOKEN: 'hunter2',
    LONGRUN_HEARTBEAT_MS: '1.5',
    LONGRUN_WORKER_LOST_MS: '-1',
    LONGRUN_GRACE_MS: 'soon',
  };
  let message = '';
  try {
    readVariables(variables, bad);
  } catch (error) {
    message = error instanceof ConfigurationError ? error.message : '';
  }
  const lines = message.split('\n');
  expect(lines.map((line) => line.slice(0, line.indexOf(':'))).toSorted()).toEqual(Object.keys(bad).toSorted());
  for (const line of lines) expect(line).toMatch(/; (?:give|make) /);
  expect(message).not.toContain('hunter2');
});

test('blanks around a value do not count, and an empty variable is none', () => {
  const shape = { LONGRUN_STATE: variables.LONGRUN_STATE, LONGRUN_GRACE_MS: variables.LONGRUN_GRACE_MS };
  expect(readVariables(shape, { LONGRUN_STATE: ' ', LONGRUN_GRACE_MS: ' 700 ' })).toEqual({
    LONGRUN_STATE: '.longrun',
    LONGRUN_GRACE_MS: 700,
  });
});
