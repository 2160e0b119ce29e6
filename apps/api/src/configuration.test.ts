import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigurationError } from '@longrun/platform/configuration';
import { describe, expect, test } from 'vitest';
import { readConfiguration } from './configuration.js';

describe('readConfiguration', () => {
  test('an empty environment gives a loopback service with everything under ./.longrun', () => {
    expect(readConfiguration({})).toMatchObject({
      host: '127.0.0.1',
      port: 0,
      stateFolder: resolve('.longrun'),
      databaseUrl: undefined,
      redisUrl: 'redis://127.0.0.1:6379',
      objectsUrl: pathToFileURL(resolve('.longrun/objects')).href,
      token: undefined,
      retentionDays: undefined,
      bodyLimitBytes: 1_048_576,
      eventHeartbeatMs: 15_000,
    });
    expect(readConfiguration({}).dashboardFolder).toMatch(/\/apps\/dashboard\/dist$/);
  });

  test('an empty variable counts as absent', () => {
    expect(readConfiguration({ LONGRUN_PORT: '', DATABASE_URL: ' ', LONGRUN_TOKEN: '' })).toEqual(
      readConfiguration({}),
    );
  });

  test.each([
    [
      { LONGRUN_PORT: 'eighty' },
      'LONGRUN_PORT: "eighty" is not a whole number from 0 to 65535; give a port, or 0 for a free one',
    ],
    [
      { LONGRUN_PORT: '70000' },
      'LONGRUN_PORT: "70000" is not a whole number from 0 to 65535; give a port, or 0 for a free one',
    ],
    [
      { LONGRUN_WORKER_LOST_MS: '-1' },
      'LONGRUN_WORKER_LOST_MS: "-1" is not a whole number from 50 to 86400000; give milliseconds',
    ],
    [
      { REDIS_URL: 'localhost:6379' },
      'REDIS_URL: is not a URL that starts with redis:// or rediss://; give one such as redis://127.0.0.1:6379',
    ],
    [
      { LONGRUN_RETENTION_DAYS: '0' },
      'LONGRUN_RETENTION_DAYS: "0" is not a whole number from 1 to 36500; give days, or leave it out to keep experiments for ever',
    ],
    [{ LONGRUN_DOWNLOADS: 'yes' }, 'LONGRUN_DOWNLOADS: "yes" is no way to give files; give stream or redirect'],
    [
      { LONGRUN_OBJECTS: '/data' },
      'LONGRUN_OBJECTS: "/data" is not an object store; give a URL such as file:/var/lib/longrun/objects or s3://bucket/prefix',
    ],
    [
      { LONGRUN_WORKER_LOST_MS: '2000' },
      'LONGRUN_WORKER_LOST_MS: 2000 is not more than twice LONGRUN_HEARTBEAT_MS (1000), so that one late heartbeat would write a living worker off; raise it, or lower the other',
    ],
  ])('%j names the variable and the remedy', (environment, message) => {
    expect(() => readConfiguration(environment)).toThrow(new ConfigurationError(message));
  });

  test('several bad variables are all named', () => {
    expect(() => readConfiguration({ LONGRUN_PORT: 'x', REDIS_URL: 'y' })).toThrow(/REDIS_URL.*\nLONGRUN_PORT/);
  });

  test('secrets are never repeated', () => {
    const environment = { LONGRUN_TOKEN: 'hunter two', DATABASE_URL: 'mysql://me:hunter2@db/longrun' };
    let message = '';
    try {
      readConfiguration(environment);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('LONGRUN_TOKEN: the token must be 16 to 512');
    expect(message).toContain('DATABASE_URL: is not a URL');
    expect(message).not.toContain('hunter');
  });
});
