import { readWorkerConfiguration } from '@longrun/platform/worker';
import { describe, expect, test } from 'vitest';
import { readConfiguration } from './configuration.js';

/** What an app says to an environment: that it takes it, or why not. */
function verdict(read: (environment: Record<string, string>) => unknown, environment: Record<string, string>): string {
  try {
    read(environment);
    return 'accepted';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const saying = { accepted: /^accepted$/, refused: /^[A-Z_]+: .+; give .+/ };

describe('a variable that several apps read', () => {
  test.each<[name: string, value: string, expected: keyof typeof saying]>([
    ['LONGRUN_HEARTBEAT_MS', '15', 'refused'],
    ['LONGRUN_HEARTBEAT_MS', '20', 'accepted'],
    ['LONGRUN_HEARTBEAT_MS', ' 1000 ', 'accepted'],
    ['LONGRUN_HEARTBEAT_MS', '600001', 'refused'],
    ['LONGRUN_HEARTBEAT_MS', 'soon', 'refused'],
    ['REDIS_URL', 'localhost:6379', 'refused'],
    ['REDIS_URL', 'rediss://:secret@db:6380/3', 'accepted'],
    ['LONGRUN_REDIS_PREFIX', 'lab-2', 'accepted'],
    ['LONGRUN_REDIS_PREFIX', 'my lab', 'refused'],
    ['LONGRUN_OBJECTS', '/data', 'refused'],
    ['LONGRUN_OBJECTS', 'file:/data', 'accepted'],
    ['LONGRUN_STATE', '/var/lib/longrun', 'accepted'],
  ])('%s=%j is %s by all of them, in the same words', (name, value, expected) => {
    // A patience that any heartbeat suits, which workers do not have.
    const api = verdict(readConfiguration, { LONGRUN_WORKER_LOST_MS: '86400000', [name]: value });
    expect(verdict(readWorkerConfiguration, { [name]: value })).toBe(api);
    expect(api).toMatch(saying[expected]);
  });
});
