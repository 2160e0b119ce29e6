import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { classifyExit } from './exit-classification.js';
import { SupervisedChild } from './supervised-child.js';

interface Started {
  readonly child: SupervisedChild;
  readonly lines: string[];
  readonly messages: unknown[];
}

let folder: string;
const children: SupervisedChild[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-child-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  await rm(folder, { recursive: true });
});

async function start(source: string): Promise<Started> {
  const script = join(folder, `child-${children.length}.mjs`);
  await writeFile(script, source);
  const lines: string[] = [];
  const messages: unknown[] = [];
  const child = new SupervisedChild({
    script,
    onLine: (stream, text) => lines.push(`${stream}: ${text}`),
    onMessage: (message) => messages.push(message),
  });
  children.push(child);
  return { child, lines, messages };
}

const left = { reason: 'program_error', message: 'It left.' } as const;

test('everything that a child said is there when it has ended', async () => {
  const { child, lines, messages } = await start(`
    for (let i = 0; i < 2000; i += 1) process.send({ i });
    process.stdout.write('out\\nwithout end');
    process.stderr.write('err\\n');
    process.send({ i: 'last' }, () => process.exit(0));
  `);
  const exit = await child.exited;

  expect(exit).toMatchObject({ code: 0, signal: null, killedByUs: false, heapExhausted: false, stderrTail: 'err' });
  expect(messages).toHaveLength(2001);
  expect(new Set(lines)).toEqual(new Set(['stderr: err', 'stdout: out', 'stdout: without end']));
});

test('a child sees no variable that could be a credential', async () => {
  vi.stubEnv('REDIS_URL', 'redis://:secret@127.0.0.1');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('LONGRUN_TOKEN', 'secret');
  vi.stubEnv('OMP_NUM_THREADS', '2');
  try {
    const { child, messages } = await start(`process.send(process.env); process.disconnect();`);
    await child.exited;
    expect(JSON.stringify(messages)).not.toContain('secret');
    expect(messages[0]).toMatchObject({ OMP_NUM_THREADS: '2', PATH: process.env['PATH'] });
  } finally {
    vi.unstubAllEnvs();
  }
});

test('sending to a child that has gone is no error', async () => {
  const { child } = await start(`process.exit(3)`);
  await child.exited;
  child.send({ type: 'stop' });
  expect(await child.kill()).toMatchObject({ code: 3, killedByUs: false });
});

test('a child that does not end in time is killed', async () => {
  const { child, messages } = await start(
    `process.on('SIGTERM', () => {}); process.send('up'); setInterval(() => {}, 1000);`,
  );
  await vi.waitFor(() => expect(messages).toEqual(['up']));
  expect(await child.endWithin(50)).toMatchObject({ signal: 'SIGKILL', killedByUs: true });
});

test('a child that cannot be started ends like any other', async () => {
  const child = new SupervisedChild({
    script: '/nowhere/child.js',
    cwd: '/nowhere',
    onLine: () => {},
    onMessage: () => {},
  });
  const exit = await child.exited;
  expect(exit).toMatchObject({ code: null, signal: null });
  expect(classifyExit(exit, 'trainer', left)).toMatchObject({ reason: 'internal_error' });
});

test('the reason is read off the way a child ended', async () => {
  vi.stubEnv('NODE_OPTIONS', '--max-old-space-size=20');
  const heap = await start(`const kept = []; for (;;) kept.push({ kept: kept.length });`);
  vi.unstubAllEnvs();
  const killed = await start(`process.send('up'); setInterval(() => {}, 1000);`);
  const gone = await start(`console.error('oh'); process.exit(7)`);
  await vi.waitFor(() => expect(killed.messages).toEqual(['up']));
  process.kill(killed.child.pid ?? 0, 'SIGKILL');

  const heapExit = await heap.child.exited;
  expect(heapExit.heapExhausted).toBe(true);
  expect(classifyExit(heapExit, 'trainer', left).reason).toBe('out_of_memory');

  const killedExit = await killed.child.exited;
  expect(killedExit).toMatchObject({ signal: 'SIGKILL', killedByUs: false });
  expect(classifyExit({ ...killedExit, outOfMemoryKill: false }, 'trainer', left).reason).toBe('trainer_killed');
  expect(classifyExit({ ...killedExit, outOfMemoryKill: true }, 'trainer', left).reason).toBe('out_of_memory');
  // Where the kernel keeps no count there is no evidence.
  expect(classifyExit({ ...killedExit, outOfMemoryKill: null }, 'trainer', left).reason).toBe('trainer_killed');
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)
    expect(classifyExit({ ...killedExit, signal }, 'trainer', left).reason).toBe('trainer_killed');
  for (const signal of ['SIGSEGV', 'SIGABRT', 'SIGBUS'] as const)
    expect(classifyExit({ ...killedExit, signal }, 'trainer', left).reason).toBe('internal_error');

  expect(classifyExit(await gone.child.exited, 'trainer', left)).toEqual({
    reason: 'program_error',
    message: 'It left. Its exit code was 7.\noh',
  });
});
