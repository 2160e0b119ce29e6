import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

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
