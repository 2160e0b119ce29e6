import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';

import { freePort } from '@longrun/platform/configuration';
import { localRedis } from './redis.js';

test.each(['longrun-redis-', 'longrun [a-z] "ü" \\ *-'])(
  'redis runs in %s… with its append-only file on, behind a password only its owner can read',
  async (name) => {
    const folder = await mkdtemp(join(tmpdir(), name));
    const port = await freePort();
    const { service, url } = await localRedis({
      folder: join(folder, 'data'),
      port,
      logFile: join(folder, 'redis.log'),
      stopTimeoutMs: 240_000,
    });
    try {
      const { ready } = await service.start();
      await ready;
      const { password } = new URL(url);
      expect(await say(port, 'PING\r\n')).toContain('-NOAUTH');
      expect(await say(port, `AUTH ${password}\r\nCONFIG GET appendonly\r\n`)).toContain('yes');
      expect(await say(port, `AUTH ${password}\r\nCONFIG GET maxmemory-policy\r\n`)).toContain('noeviction');
      expect((await stat(join(folder, 'data', 'redis.conf'))).mode & 0o077).toBe(0);
      expect(await readFile(join(folder, 'data', 'redis.conf'), 'utf8')).toContain(password);
      expect(await readdir(join(folder, 'data'))).toContain('appendonlydir');
    } finally {
      expect(await service.stop()).toMatchObject({ how: 'exit code 0' });
      await rm(folder, { recursive: true });
    }
  },
);

test('redis is told no secret: its user’s other processes read what it was told, and its memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longrun-redis-'));
  for (const name of ['LONGRUN_TOKEN', 'DATABASE_URL', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, 'hunter2');
  const [command, told] = [join(folder, 'redis-server'), join(folder, 'told')];
  // Once it is up, it shows its title in the place of its environment.
  await writeFile(command, `#!/bin/sh\nenv > '${told}'\nexec redis-server "$@"\n`, { mode: 0o700 });
  const logFile = join(folder, 'redis.log');
  const { service } = await localRedis({ folder: join(folder, 'data'), port: await freePort(), logFile, command });
  try {
    await (
      await service.start()
    ).ready;
    expect(await readFile(told, 'utf8')).toContain(`PATH=${process.env['PATH']}`);
    expect(await readFile(told, 'utf8')).not.toContain('hunter2');
  } finally {
    vi.unstubAllEnvs();
    await service.stop();
    await rm(folder, { recursive: true });
  }
});

function say(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let answer = '';
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      answer += bytes.toString();
      if (/-NOAUTH|yes|noeviction/.test(answer)) socket.end();
    });
    socket.on('close', () => resolve(answer));
    socket.write(text);
  });
}
