import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CHILD_CHANNEL } from '../testing/child-channel.js';
import { pidOf } from '../testing/pid-of.js';
import { isRunning } from '../testing/process-under-test.js';
import { Isolation, type IsolationWay, type Launch } from './isolation.js';
import { SupervisedChild } from './supervised-child.js';

// A busy machine takes long to start processes.
const isRoot = process.geteuid?.() === 0;

/** A home that is closed to all but its owner, with a checkout and a state folder in it, as root's own has them. */
let home: string;
let checkout: string;
let state: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'longrun isolation ü '));
  checkout = join(home, 'checkout');
  state = join(home, 'state');
  await mkdir(checkout);
  for (const folder of [
    '',
    'objects',
    'cache',
    'cache/datasets',
    'worker-1',
    'worker-1/a.1',
    'worker-2',
    'worker-2/b.1',
  ])
    await mkdir(join(state, folder), { recursive: true, mode: 0o700 });
  for (const file of ['token', 'objects/head.json', 'cache/datasets/abc.hdf5', 'worker-2/b.1/snapshot'])
    await writeFile(join(state, file), 'of the worker', { mode: 0o600 });
  await writeFile(join(checkout, 'library.mjs'), `export const name = 'library';`);
  await writeFile(join(checkout, 'attack.mjs'), CHILD_CHANNEL + ATTACK);
  await writeFile(join(checkout, 'father.mjs'), CHILD_CHANNEL + FATHER);
});

afterEach(async () => {
  await rm(home, { recursive: true });
});

/** Does what a hostile program would, and tells how each went. */
const ATTACK = `
  import { appendFileSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
  hear(async ({ state, folder }) => {
    const tried = {};
    const attempt = (name, act) => { try { tried[name] = act() ?? 'done'; } catch (error) { tried[name] = error.code ?? String(error); } };
    tried.code = (await import(new URL('library.mjs', import.meta.url))).name;
    attempt('user', () => process.getuid());
    attempt('token', () => readFileSync(state + '/token', 'utf8'));
    attempt('objects', () => readFileSync(state + '/objects/head.json', 'utf8'));
    attempt('listing', () => readdirSync(state).join());
    attempt('other', () => readFileSync(state + '/worker-2/b.1/snapshot', 'utf8'));
    attempt('dataset', () => readFileSync(state + '/cache/datasets/abc.hdf5', 'utf8'));
    attempt('damage', () => appendFileSync(state + '/cache/datasets/abc.hdf5', 'more'));
    attempt('replace', () => (writeFileSync(folder + '/forged', 'forged'), renameSync(folder + '/forged', state + '/cache/datasets/abc.hdf5')));
    attempt('patch', () => appendFileSync(new URL('library.mjs', import.meta.url), '//'));
    attempt('own', () => writeFileSync(folder + '/own', 'mine'));
    attempt('here', () => writeFileSync('relative', process.cwd() === folder ? 'mine' : 'elsewhere'));
    attempt('temporary', () => writeFileSync(process.env.TMPDIR + '/temporary', 'mine'));
    attempt('parent', () => readFileSync('/proc/' + process.ppid + '/environ', 'utf8').length > 0);
    send(tried, () => process.exit(0));
  });
`;

/** Starts sons that stay with it, or that take off all by which they are known: father, group, session and mark. Leaves when told. */
const FATHER = `
  import { spawn } from 'node:child_process';
  import { createInterface } from 'node:readline';
  const ESCAPE = 'exec env -i setsid sh -c "sleep 600 > /dev/null 2>&1 & echo \\\\$!"';
  hear(async ({ act }) => {
    if (act === 'leave') process.exit(0);
    const son = act === 'escape' ? spawn('sh', ['-c', ESCAPE]) : spawn('sh', ['-c', 'echo $$; exec sleep 600'], { detached: act === 'detach' });
    for await (const pid of createInterface(son.stdout)) send(Number(pid));
  });
`;

interface Family {
  readonly child: SupervisedChild;
  readonly sons: readonly number[];
}

/** A child that has started sons, one for each act. */
async function father(launch: Launch, ...acts: readonly string[]): Promise<Family> {
  const sons: number[] = [];
  const child = new SupervisedChild({
    script: join(checkout, 'father.mjs'),
    launch,
    onMessage: (message) => sons.push(Number(message)),
    onLine: () => {},
  });
  for (const act of acts) child.send({ act });
  await expect.poll(() => sons).toHaveLength(acts.length);
  expect(sons.filter(isRunning)).toEqual(sons);
  return { child, sons };
}

async function attack(launch: Launch, folder: string): Promise<Record<string, unknown>> {
  const heard: unknown[] = [];
  const lines: string[] = [];
  const child = new SupervisedChild({
    script: join(checkout, 'attack.mjs'),
    launch,
    onMessage: (message) => heard.push(message),
    onLine: (_stream, text) => lines.push(text),
  });
  child.send({ state, folder });
  await child.exited;
  const [tried] = heard;
  if (typeof tried !== 'object' || tried === null) throw new Error(`The child said nothing:\n${lines.join('\n')}`);
  return { ...tried };
}

async function attackBy(ways: readonly IsolationWay[]): Promise<{
  readonly isolation: Isolation;
  readonly tried: Record<string, unknown>;
  readonly folder: string;
}> {
  const isolation = await Isolation.find({ user: 'auto', stateFolder: state, code: [checkout], ways });
  const folder = join(state, 'worker-1', 'a.1', 'trainer');
  const launch = await isolation.prepare({ folder, shared: [join(state, 'cache', 'datasets', 'abc.hdf5')] });
  return { isolation, tried: await attack(launch, folder), folder };
}

test.runIf(isRoot)(
  '(needs root) below a closed home, a child sees the code, the dataset and its folder, and nothing else',
  async () => {
    const { isolation, tried, folder } = await attackBy(['view']);

    expect(isolation.user?.uid).toBeGreaterThan(1_900_000_000);
    expect(isolation.sentence).toContain(`children run as user ${isolation.user?.uid}`);
    expect(tried).toEqual({
      code: 'library',
      user: isolation.user?.uid,
      token: 'ENOENT',
      objects: 'ENOENT',
      listing: 'cache,worker-1',
      other: 'ENOENT',
      dataset: 'of the worker',
      damage: expect.stringMatching(/EROFS|EACCES/) as unknown,
      replace: 'EXDEV',
      patch: expect.stringMatching(/EROFS|EACCES/) as unknown,
      own: 'done',
      here: 'done',
      temporary: 'done',
      parent: 'EACCES',
    });
    expect(await readFile(join(folder, 'relative'), 'utf8')).toBe('mine');
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
  },
);

test.runIf(isRoot).each(['privileges', 'ids'] as const)(
  '(needs root) where nothing can be mounted, a child gets through exactly the folders on its way (%s)',
  async (way) => {
    await chmod(home, 0o755);
    const { isolation, tried } = await attackBy([way]);

    expect(isolation.user).not.toBeNull();
    expect(tried).toMatchObject({
      code: 'library',
      user: isolation.user?.uid,
      token: 'EACCES',
      objects: 'EACCES',
      listing: 'EACCES',
      other: 'EACCES',
      dataset: 'of the worker',
      damage: 'EACCES',
      replace: 'EACCES',
      patch: 'EACCES',
      own: 'done',
      here: 'done',
      temporary: 'done',
      parent: 'EACCES',
    });
    const modes = ['', 'cache', 'cache/datasets', 'worker-1', 'worker-1/a.1', 'objects', 'worker-2'];
    expect(await Promise.all(modes.map(async (name) => (await stat(join(state, name))).mode & 0o777))).toEqual([
      0o701, 0o701, 0o701, 0o710, 0o710, 0o700, 0o700,
    ]);
  },
);

test.runIf(isRoot).each(['view', 'privileges', 'ids'] as const)(
  '(needs root) who has escaped from a child is gone before its end is told, and what belongs to another child stays (%s)',
  async (way) => {
    await chmod(home, 0o755);
    const isolation = await Isolation.find({ user: 'auto', stateFolder: state, code: [checkout], ways: [way] });
    const launch = async (name: string): Promise<Launch> =>
      await isolation.prepare({ folder: join(state, 'worker-1', name) });
    const other = await father(await launch('other'), 'stay', 'detach');
    const escaped = await father(await launch('escaped'), 'escape', 'escape', 'escape', 'escape', 'escape');
    try {
      for (const pid of escaped.sons) {
        expect(await readFile(`/proc/${pid}/environ`, 'utf8')).not.toContain('LONGRUN_ATTEMPT');
        expect(await readFile(`/proc/${pid}/status`, 'utf8')).toMatch(
          new RegExp(`^Uid:\\s+${isolation.user?.uid}\\s`, 'm'),
        );
      }
      escaped.child.send({ act: 'leave' });
      expect(await escaped.child.exited).toMatchObject({ code: 0 });

      expect(escaped.sons.filter(isRunning)).toEqual([]);
      expect([pidOf(other.child), ...other.sons].filter(isRunning)).toHaveLength(3);
    } finally {
      await other.child.kill();
      for (const pid of escaped.sons.filter(isRunning)) process.kill(pid, 'SIGKILL');
    }
    expect(other.sons.filter(isRunning)).toEqual([]);
  },
);

test.runIf(isRoot)('(needs root) what cannot be had is said, and refused where it was asked for', async () => {
  const options = { stateFolder: state, code: [checkout], ways: ['privileges', 'ids'] } as const;
  const found = await Isolation.find({ ...options, user: 'auto' });
  expect(found.user).toBeNull();
  expect(found.sentence).toMatch(/programs are trusted as it is: user \d+ does not work: .*EACCES.*; put the checkout/);

  const user = { uid: 1500, gid: 1500 };
  await expect(Isolation.find({ ...options, user })).rejects.toThrow(/LONGRUN_TRAINER_USER: .* user 1500: .*EACCES/);
});

test('who asks for the worker’s own user gets it, and it is said', async () => {
  const isolation = await Isolation.find({ user: 'worker', stateFolder: state, code: [checkout] });
  expect(isolation.user).toBeNull();
  expect(isolation.sentence).toContain('programs are trusted as it is');
  const folder = join(state, 'worker-1', 'a.1', 'trainer');
  const tried = await attack(await isolation.prepare({ folder }), folder);
  // All that the attack tries goes well for it.
  expect(tried).toMatchObject({
    user: process.getuid?.(),
    token: 'of the worker',
    other: 'of the worker',
    damage: 'done',
    replace: 'done',
    patch: 'done',
    own: 'done',
    here: 'done',
    temporary: 'done',
    parent: true,
  });
});

test.runIf(isRoot)('(needs root) what has gone from a shared folder since it was listed is passed over', async () => {
  await chmod(home, 0o755);
  const isolation = await Isolation.find({ user: 'auto', stateFolder: state, code: [] });
  // It lists the descriptor by which it is listed.
  await isolation.share('/proc/self/fdinfo');
  await expect(isolation.share(join(state, 'absent'))).rejects.toThrow(/ENOENT/);
});
