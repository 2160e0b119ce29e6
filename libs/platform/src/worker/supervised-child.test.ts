import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newMark } from '../processes/attempt-mark.js';
import { endLeftovers } from '../processes/process-tree.js';
import { CHILD_CHANNEL } from '../testing/child-channel.js';
import { pidOf } from '../testing/pid-of.js';
import { isRunning } from '../testing/process-under-test.js';
import { classifyExit } from './exit-classification.js';
import { Isolation } from './isolation.js';
import { SupervisedChild, type SupervisedChildOptions } from './supervised-child.js';

const FREEZER = '/sys/fs/cgroup/freezer';

interface Started {
  readonly child: SupervisedChild;
  readonly lines: string[];
  readonly messages: unknown[];
}

// A busy machine takes long to start processes.
let folder: string;
const children: SupervisedChild[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-child-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  await rm(folder, { recursive: true });
});

async function start(
  source: string,
  options: Partial<Pick<SupervisedChildOptions, 'memoryLimitBytes' | 'onMessage' | 'undyingAfterMs'>> = {},
): Promise<Started> {
  const script = join(folder, `child-${children.length}.mjs`);
  await writeFile(script, CHILD_CHANNEL + source);
  const lines: string[] = [];
  const messages: unknown[] = [];
  const child = new SupervisedChild({
    ...options,
    script,
    onLine: (stream, text) => lines.push(`${stream}: ${text}`),
    onMessage: (message) => {
      options.onMessage?.(message);
      messages.push(message);
    },
  });
  children.push(child);
  return { child, lines, messages };
}

const left = { reason: 'program_error', message: 'It left.' } as const;

test('everything that a child said is there when it has ended', async () => {
  const { child, lines, messages } = await start(`
    for (let i = 0; i < 2000; i += 1) send({ i });
    process.stdout.write('out\\nwithout end');
    process.stderr.write('err\\n');
    send({ i: 'last' }, () => process.exit(0));
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
    const { child, messages } = await start(`send(process.env, () => process.exit(0));`);
    await child.exited;
    expect(JSON.stringify(messages)).not.toContain('secret');
    expect(messages[0]).toMatchObject({ OMP_NUM_THREADS: '2', PATH: process.env['PATH'] });
  } finally {
    vi.unstubAllEnvs();
  }
});

test.each([
  ['what is no JSON', `channel.write('garbage\\n')`, /not valid JSON/],
  ['what is no UTF-8', `channel.write(Buffer.from('"na\u00EFve"\\n', 'latin1'))`, /JSON in UTF-8/],
  ['a message too large', `channel.write(Buffer.alloc(17 * 2 ** 20, 'x'))`, /16777216 bytes at most/],
  ['what is not taken', `channel.write('"refused"\\n"after"\\n')`, /it is refused/],
])('a child that says %s is ended for it, and nothing else is', async (_what, act, why) => {
  const { child, messages } = await start(`send('before', () => { ${act}; send('after'); }); hear(() => {});`, {
    onMessage: (message) => {
      if (message === 'refused') throw new Error('it is refused');
    },
  });
  const exit = await child.exited;
  expect(messages).not.toContain('after');
  expect(exit).toMatchObject({ signal: 'SIGKILL', killedByUs: false, garbled: expect.stringMatching(why) as unknown });
  expect(classifyExit(exit, 'trainer', left)).toMatchObject({
    reason: 'program_error',
    message: expect.stringMatching(why) as unknown,
  });
});

test('a child has no channel of Node’s own, whose messages to itself would mean something here', async () => {
  const { child, messages } = await start(
    `send([typeof process.send, { cmd: 'NODE_HANDLE_ACK' }], () => process.exit(0));`,
  );
  expect(await child.exited).toMatchObject({ code: 0 });
  expect(messages).toEqual([['undefined', { cmd: 'NODE_HANDLE_ACK' }]]);
});

test('sending to a child that has gone is no error', async () => {
  const { child } = await start(`process.exit(3)`);
  await child.exited;
  child.send({ type: 'stop' });
  expect(await child.kill()).toMatchObject({ code: 3, killedByUs: false });
});

test('a child that does not end in time is killed', async () => {
  const { child, messages } = await start(`process.on('SIGTERM', () => {}); send('up'); setInterval(() => {}, 1000);`);
  await expect.poll(() => messages).toEqual(['up']);
  expect(await child.endWithin(50)).toMatchObject({ signal: 'SIGKILL', killedByUs: true });
});

test('a child that cannot be started ends like any other', async () => {
  const child = new SupervisedChild({
    script: '/nowhere/child.js',
    launch: { execPath: process.execPath, execArgv: [], cwd: '/nowhere', env: {} },
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
  const killed = await start(`send('up'); setInterval(() => {}, 1000);`);
  const gone = await start(`console.error('oh'); process.exit(7)`);
  await expect.poll(() => killed.messages).toEqual(['up']);
  process.kill(pidOf(killed.child), 'SIGKILL');

  const heapExit = await heap.child.exited;
  expect(heapExit.heapExhausted).toBe(true);
  expect(classifyExit(heapExit, 'trainer', left).reason).toBe('out_of_memory');

  const killedExit = await killed.child.exited;
  expect(killedExit).toMatchObject({ signal: 'SIGKILL', killedByUs: false });
  expect(classifyExit(killedExit, 'trainer', left).reason).toBe('trainer_killed');
  const memory = { limitBytes: 1, seenBytes: 2 };
  expect(classifyExit({ ...killedExit, memory }, 'trainer', left).reason).toBe('out_of_memory');
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)
    expect(classifyExit({ ...killedExit, signal }, 'trainer', left).reason).toBe('trainer_killed');
  for (const signal of ['SIGSEGV', 'SIGABRT', 'SIGBUS'] as const)
    expect(classifyExit({ ...killedExit, signal }, 'trainer', left).reason).toBe('internal_error');

  expect(classifyExit(await gone.child.exited, 'trainer', left)).toEqual({
    reason: 'program_error',
    message: 'It left. Its exit code was 7.\noh',
  });
});

/** Starts sons, tells their numbers, and keeps its group busy. */
const FATHER = `
  import { spawn } from 'node:child_process';
  const sons = [false, false, false, false, true].map((detached) =>
    spawn(process.execPath, ['-e', "console.log('son'); setInterval(() => {}, 1000)"], { detached, stdio: ['ignore', 'inherit', 'inherit'] }));
  send(sons.map(({ pid }) => pid));
  hear(() => { process.stdout.write('the last line\\n'); process.exit(0); });
`;

test('what a child has started is gone before its end is told, and no line is lost', async () => {
  const { child, lines, messages } = await start(FATHER);
  await expect.poll(() => lines).toEqual(Array.from({ length: 5 }, () => 'stdout: son'));
  const sons = pidsIn(messages[0]);
  expect(sons.map(isRunning)).toEqual([true, true, true, true, true]);

  child.send({ type: 'leave' });
  expect(await child.exited).toMatchObject({ code: 0 });

  expect(sons.filter(isRunning)).toEqual([]);
  expect(lines.at(-1)).toBe('stdout: the last line');
});

test('a child that was stopped by a signal is killed with all that it has started', async () => {
  const { child, lines, messages } = await start(FATHER);
  await expect.poll(() => lines).toHaveLength(5);
  for (const pid of [pidOf(child), ...pidsIn(messages[0])]) process.kill(pid, 'SIGSTOP');

  expect(await child.kill()).toMatchObject({ signal: 'SIGKILL', killedByUs: true });
  expect(pidsIn(messages[0]).filter(isRunning)).toEqual([]);
});

test.runIf(canFreeze())(
  '(needs root) a child that SIGKILL does not end is not waited for without end, and none is started beside it',
  async () => {
    const { child, messages } = await start(`send('up'); setInterval(() => {}, 1000);`, { undyingAfterMs: 1_000 });
    await expect.poll(() => messages).toEqual(['up']);
    const pid = pidOf(child);
    const isolation = await Isolation.find({ user: 'worker', stateFolder: folder, code: [] });
    const prepare = async () => await isolation.prepare({ folder: join(folder, 'next') });
    await prepare();
    const thaw = freeze(pid);
    try {
      const exit = await child.kill();
      expect(exit).toMatchObject({ code: null, signal: null, killedByUs: true, isUndying: true });
      expect(classifyExit(exit, 'trainer', left).message).toContain('was killed and does not end');
      expect(isRunning(pid)).toBe(true);
      await expect(prepare()).rejects.toThrow(`does not end with SIGKILL (process ${pid})`);
    } finally {
      thaw();
    }
    await expect.poll(() => isRunning(pid)).toBe(false);
    await prepare();
  },
);

test.runIf(process.platform === 'linux')('what a dead worker has left running is ended by the next one', async () => {
  const { child, lines, messages } = await start(FATHER);
  await expect.poll(() => lines).toHaveLength(5);
  const family = [pidOf(child), ...pidsIn(messages[0])];

  // A worker that lives keeps what it has started.
  await endLeftovers();
  expect(family.filter(isRunning)).toEqual(family);

  const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    env: { LONGRUN_ATTEMPT: newMark().text.replace(`.${process.pid}.`, `.${await pidOfTheDead()}.`) },
  });
  // Those of other tests may end it before this one does.
  await expect
    .poll(async () => {
      await endLeftovers();
      return orphan.signalCode;
    })
    .toBe('SIGKILL');
  expect(family.filter(isRunning)).toEqual(family);
});

test.runIf(process.platform === 'linux')(
  'the memory of a child and all that it starts is limited together, and a breach is told with its numbers',
  async () => {
    const limitBytes = 256 * 2 ** 20;
    const { child, messages } = await start(
      `import { spawn } from 'node:child_process';
       const greedy = "const kept = Buffer.alloc(300 * 2 ** 20, 1); setInterval(() => kept.length, 1000)";
       send([spawn(process.execPath, ['-e', greedy], { detached: true }).pid]);
       setInterval(() => {}, 1000);`,
      { memoryLimitBytes: limitBytes },
    );
    const exit = await child.exited;

    expect(exit).toMatchObject({ signal: 'SIGKILL', killedByUs: false, memory: { limitBytes } });
    expect(exit.memory?.seenBytes).toBeGreaterThan(limitBytes);
    expect(child.peakMemoryBytes).toBeGreaterThan(limitBytes);
    expect(pidsIn(messages[0]).filter(isRunning)).toEqual([]);
    const { reason, message } = classifyExit(exit, 'trainer', left);
    expect(reason).toBe('out_of_memory');
    expect(message).toMatch(/took \d+ MiB of memory, and may take 256 MiB;/);
  },
);

/** Whether there is the old freezer of Linux, in which no signal reaches a process, not even SIGKILL: as in a device that hangs. */
function canFreeze(): boolean {
  try {
    accessSync(FREEZER, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Freezes a process; returns what thaws it. */
function freeze(pid: number): () => void {
  const group = join(FREEZER, `longrun-${pid}`);
  mkdirSync(group);
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
  writeFileSync(join(group, 'freezer.state'), 'FROZEN');
  return () => {
    writeFileSync(join(group, 'freezer.state'), 'THAWED');
    writeFileSync(join(FREEZER, 'cgroup.procs'), String(pid));
    rmdirSync(group);
  };
}

function pidsIn(message: unknown): number[] {
  if (!Array.isArray(message)) throw new Error(`${JSON.stringify(message)} is no list of processes`);
  return message.map(Number);
}

async function pidOfTheDead(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return pidOf(child);
}
