import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { announce, announcementOf, announcementPath, refuseIfServed, withdraw } from './announcement.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-announcement-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('announcement', () => {
  test('is written whole, replaces an older one, and is withdrawn', async () => {
    await writeFile(announcementPath(folder), '{"url": "http://127.0.');
    expect(await announcementOf(folder)).toBeUndefined();
    const mine = { url: 'http://127.0.0.1:1', pid: process.pid };
    await announce(folder, mine);
    expect(await announcementOf(folder)).toEqual(mine);
    expect(await readdir(folder)).toEqual(['api.json']);
    await withdraw(folder);
    expect(await readdir(folder)).toEqual([]);
    await withdraw(folder);
  });

  test('of another process is not withdrawn', async () => {
    await announce(folder, { url: 'http://127.0.0.1:1', pid: process.ppid });
    await withdraw(folder);
    expect(await readFile(announcementPath(folder), 'utf8')).toContain(String(process.ppid));
  });
});

describe('refuseIfServed', () => {
  test('refuses only where a living process answers at the announced address', async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/health/live' ? 200 : 404;
      response.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const url = `http://127.0.0.1:${address.port}`;

    await refuseIfServed(folder, 1000);
    await announce(folder, { url, pid: process.ppid });
    await expect(refuseIfServed(folder, 1000)).rejects.toThrow(
      `in use by process ${process.ppid}, which listens at ${url}; stop it`,
    );
    await announce(folder, { url, pid: 2 ** 22 + 1 });
    await refuseIfServed(folder, 1000);
    server.close();
    await once(server, 'close');
    await announce(folder, { url, pid: process.ppid });
    await refuseIfServed(folder, 1000);
  });
});
