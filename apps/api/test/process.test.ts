import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newestStage } from '@longrun/platform/stages';
import { RedisServer, until } from '@longrun/platform/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// Other suites may share the machine's cores, and each start makes or opens a database.
const entry = fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url));

let redis: RedisServer;
let folder: string;
/** One state for all that get as far as the record: making a database is the slowest part of a first start. */
let state: string;
const children: ChildProcess[] = [];
beforeAll(async () => {
  redis = await RedisServer.start();
  folder = await mkdtemp(join(tmpdir(), 'longrun-main-'));
  state = join(folder, 'state');
});
afterAll(async () => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

/** `main.js` as a process of its own. */
class Main {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  /** Its exit code, or the signal that killed it. */
  readonly exited: Promise<number | string>;

  constructor(environment: Readonly<Record<string, string>>) {
    this.child = spawn(process.execPath, [entry], {
      env: { PATH: process.env['PATH'] ?? '', REDIS_URL: redis.url, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(this.child);
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve(code ?? signal ?? 'gone'));
    });
  }

  /** Its address, once it says that it listens. */
  async listening(): Promise<string> {
    const address = (): string | undefined => /^api listening at (http:\/\/\S+)$/m.exec(this.stdout)?.[1];
    await until(
      () => address() !== undefined,
      () => `${this.stdout}${this.stderr}`,
    );
    return address() ?? '';
  }
}

describe('main.js', () => {
  test('starts, serves, refuses a second one on its state, and stops at SIGTERM', async () => {
    const first = new Main({ LONGRUN_STATE: state });
    const url = await first.listening();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    // From its first line on it says what it does.
    expect(first.stdout).toMatch(
      /^longrun-stage: loading code\n[^]*^longrun-stage: claiming the state folder\n[^]*^longrun-stage: opening the record\n[^]*^longrun-stage: migrating the record\n[^]*^api listening/m,
    );
    expect(JSON.parse(await readFile(join(state, 'api.json'), 'utf8'))).toEqual({ url, pid: first.child.pid });
    expect((await stat(join(state, 'token'))).mode & 0o777).toBe(0o600);

    const token = (await readFile(join(state, 'token'), 'utf8')).trim();
    // Ready once the first look at the workers' events is done.
    await expect.poll(async () => (await fetch(`${url}/health/ready`)).status).toBe(200);
    expect((await fetch(`${url}/v1/programs`)).status).toBe(401);
    const programs = await fetch(`${url}/v1/programs`, { headers: { authorization: `Bearer ${token}` } });
    expect(await programs.json()).toEqual({ items: [], nextCursor: null });

    const second = new Main({ LONGRUN_STATE: state });
    expect(await second.exited).toBe(1);
    expect(second.stderr).toContain(
      `in use by process ${first.child.pid}, which listens at ${url}; stop it, or give another folder`,
    );
    expect(second.stdout).not.toContain('listening');
    expect(JSON.parse(await readFile(join(state, 'api.json'), 'utf8'))).toEqual({ url, pid: first.child.pid });

    // Nor is it let in when the first one answers nothing, whatever its record is.
    first.child.kill('SIGSTOP');
    const elsewhere = new Main({ LONGRUN_STATE: state, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
    expect(await elsewhere.exited).toBe(1);
    expect(elsewhere.stderr).toContain(`in use by process ${first.child.pid}, which listens at ${url}`);
    first.child.kill('SIGCONT');

    // Nor when the announcement is gone.
    await rename(join(state, 'api.json'), join(state, 'api.json.away'));
    const unwarned = new Main({ LONGRUN_STATE: state });
    expect(await unwarned.exited).toBe(1);
    expect(unwarned.stderr).toContain(`is in use by process ${first.child.pid}, which does not listen yet`);
    await rename(join(state, 'api.json.away'), join(state, 'api.json'));

    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);
    await expect(readFile(join(state, 'api.json'))).rejects.toThrow('ENOENT');
    const lines = first.stdout
      .trim()
      .split('\n')
      .filter((line) => newestStage(line) === undefined);
    expect(lines.filter((line) => line.startsWith('api listening at '))).toHaveLength(1);
    const records = lines.filter((line) => line.startsWith('{')).map((line): unknown => JSON.parse(line));
    expect(records).toHaveLength(lines.length - 1);
    expect(records).toContainEqual(expect.objectContaining({ message: 'request', path: '/v1/programs', status: 200 }));
    expect(first.stdout + first.stderr).not.toContain(token);

    // The same state again, with the same token; SIGINT twice, as a terminal and a supervisor send it.
    const third = new Main({ LONGRUN_STATE: state });
    const again = await third.listening();
    const answer = await fetch(`${again}/v1/experiments`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    third.child.kill('SIGINT');
    third.child.kill('SIGTERM');
    expect(await third.exited).toBe(0);
  });

  test('refuses a token file that others can read, with the command that mends it', async () => {
    const open = join(folder, 'open');
    await mkdir(open);
    await writeFile(join(open, 'token'), 'a-token-that-others-can-read\n');
    await chmod(join(open, 'token'), 0o644);
    const main = new Main({ LONGRUN_STATE: open });
    expect(await main.exited).toBe(1);
    expect(main.stderr).toContain(`Run: chmod 600 ${join(open, 'token')}`);
    expect(main.stderr).not.toContain('a-token-that-others-can-read');
  });

  test.each([
    [
      { LONGRUN_PORT: '80x' },
      'LONGRUN_PORT: "80x" is not a whole number from 0 to 65535; give a port, or 0 for a free one',
    ],
    [{ LONGRUN_OBJECTS: 's3://bucket/prefix' }, 's3'],
  ])('refuses %j', async (environment, message) => {
    const main = new Main({ LONGRUN_STATE: join(folder, 'refused'), ...environment });
    expect(await main.exited).toBe(1);
    expect(main.stderr).toContain(message);
    await expect(readFile(join(folder, 'refused', 'api.json'))).rejects.toThrow('ENOENT');
  });

  test('refuses a port that is taken, and leaves nothing locked', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const main = new Main({ LONGRUN_STATE: state, LONGRUN_PORT: String(address.port) });
    expect(await main.exited).toBe(1);
    expect(main.stderr).toContain(`LONGRUN_PORT: ${address.port} is in use`);
    server.close();

    const next = new Main({ LONGRUN_STATE: state });
    await next.listening();
    next.child.kill('SIGTERM');
    expect(await next.exited).toBe(0);
  });

  test('killed without warning, it leaves a state that the next one takes over', async () => {
    const main = new Main({ LONGRUN_STATE: state });
    await main.listening();
    main.child.kill('SIGKILL');
    expect(await main.exited).toBe('SIGKILL');
    const next = new Main({ LONGRUN_STATE: state });
    const url = await next.listening();
    expect(JSON.parse(await readFile(join(state, 'api.json'), 'utf8'))).toEqual({ url, pid: next.child.pid });
    next.child.kill('SIGTERM');
    expect(await next.exited).toBe(0);
  });
});
