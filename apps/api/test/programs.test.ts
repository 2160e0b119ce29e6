import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProgramBroken } from '@longrun/platform';
import { childrenOf } from '@longrun/platform/processes';
import { afterEach, expect, test } from 'vitest';
import { Refusal } from '../src/problems/refusal.js';
import { PROGRAM_LIMITS, type ProgramLimits } from '../src/programs/program-limits.js';
import { ProgramRooms } from '../src/programs/program-rooms.js';
import { Programs } from '../src/programs/programs.js';

const folder = fileURLToPath(new URL('broken-programs', import.meta.url));
const opened: Programs[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const programs of opened.splice(0)) await programs.close();
  for (const made of folders.splice(0)) await rm(made, { recursive: true });
});

async function find(
  limits: Partial<ProgramLimits> = {},
  at = folder,
  onLaunch: (name: string) => unknown = () => {},
): Promise<Programs> {
  const programs = await Programs.find(at, {
    limits: { ...PROGRAM_LIMITS, ...limits },
    launch: async (name) => {
      await onLaunch(name);
      return { execPath: process.execPath, execArgv: [], cwd: at, env: {} };
    },
  });
  opened.push(programs);
  return programs;
}

/** A folder of modules that need nothing of Longrun. */
async function folderOf(modules: Readonly<Record<string, string>>): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'longrun-programs-'));
  folders.push(made);
  for (const [name, text] of Object.entries(modules)) await writeFile(join(made, `${name}.mjs`), text);
  return made;
}

test('programs that cannot be imported, or do not come back, are listed with why beside the one that can, and not tried again', async () => {
  const launched: string[] = [];
  const programs = await find({ loadCpuMs: 4_000 }, folder, (name) => launched.push(name));
  const [checks, hangs, otherName, throws] = await programs.list();
  expect(programs.names()).toEqual(['checks', 'hangs', 'other-name', 'throws']);
  expect(checks).toMatchObject({ name: 'checks', broken: null, params: { properties: { how: { type: 'string' } } } });
  const tooLong = 'it took more than 4000 ms of processor time to be imported';
  expect(hangs).toMatchObject({ name: 'hangs', broken: tooLong });
  expect(otherName?.broken).toContain('other-name.mjs has the program mlp; call the file as the program');
  expect(throws?.broken).toBe('Error: there is a comma missing');

  const lists = await Promise.all([programs.list(), programs.list()]);
  expect(lists.map((list) => list[1]?.broken)).toEqual([tooLong, tooLong]);
  await expect(programs.validate('hangs', {})).rejects.toThrow(new ProgramBroken(tooLong));
  expect(launched).toEqual(programs.names());
});

test('a broken program is tried again when its module has changed, or after some time', async () => {
  const at = await folderOf({ mends: 'throw new Error("one")' });
  const launched: string[] = [];
  const programs = await find({}, at, (name) => launched.push(name));
  for (let look = 0; look < 3; look += 1) expect((await programs.view('mends')).broken).toBe('Error: one');
  expect(launched).toHaveLength(1);
  await writeFile(join(at, 'mends.mjs'), 'throw new Error("another")');
  expect((await programs.view('mends')).broken).toBe('Error: another');
  expect(launched).toHaveLength(2);

  const forgetful = await find({ brokenMs: 0 }, at, (name) => launched.push(name));
  for (let look = 0; look < 2; look += 1) expect((await forgetful.view('mends')).broken).toBe('Error: another');
  expect(launched).toHaveLength(4);
});

test('one that waits for ever as it is imported is ended', async () => {
  const programs = await find({ waitMs: 1_000 }, await folderOf({ waits: 'await new Promise(() => {});' }));
  await expect(programs.validate('waits', {})).rejects.toThrow(
    new ProgramBroken('it has waited for 1000 ms to be imported'),
  );
});

test('one whose process is killed as it is imported is tried again', async () => {
  const at = await folderOf({ dies: "process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});" });
  const launched: string[] = [];
  const programs = await find({}, at, (name) => launched.push(name));
  for (let time = 1; time <= 2; time += 1) {
    expect((await programs.view('dies')).broken).toBe('its process ended with SIGKILL');
    expect(launched).toHaveLength(time);
  }
});

test('of many programs so many processes live at once, and each is answered in turn', async () => {
  const names = ['one', 'two', 'three', 'four'];
  const checks = JSON.stringify(new URL('broken-programs/checks.mjs', import.meta.url));
  const moduleOf = (name: string): string =>
    `import checks from ${checks}; export default { ...checks, name: '${name}' };`;
  const at = await folderOf(Object.fromEntries(names.map((name) => [name, moduleOf(name)])));
  const others: number[] = [];
  const programs = await find({ processes: 2, idleMs: 3_600_000 }, at, async () =>
    others.push((await livingPrograms()).length),
  );
  const views = await Promise.all(names.map(async (name) => await programs.view(name)));
  expect(views.map(({ name, broken }) => ({ name, broken }))).toEqual(names.map((name) => ({ name, broken: null })));
  expect(await livingPrograms()).toHaveLength(2);
  expect(others).toHaveLength(4);
  // Each is begun in one of the two places; what has the other may have just begun, too, or just ended.
  expect(Math.max(...others)).toBeLessThanOrEqual(1);
  // One that was ended for another is begun again.
  for (const name of names)
    expect(await programs.validate(name, { how: 'well' })).toEqual({ ok: true, value: { how: 'well' } });
  expect(others.length).toBeGreaterThan(4);
});

test('who asks a program while many wait for it is refused for now, and those who wait are answered', async () => {
  const programs = await find({ questions: 3 });
  const check = async (): Promise<unknown> =>
    await programs.validate('checks', { how: 'well' }).catch((error: unknown) => error);
  const answers = await Promise.all(Array.from({ length: 5 }, check));
  const well = { ok: true, value: { how: 'well' } };
  expect(answers.slice(0, 3)).toEqual([well, well, well]);
  for (const refused of answers.slice(3)) {
    expect(refused).toBeInstanceOf(Refusal);
    const errors = [{ code: 'program-busy', facts: { program: 'checks', waiting: 3 } }];
    expect(refused).toMatchObject({ status: 503, headers: { 'Retry-After': '5' }, errors });
  }
  expect(await check()).toEqual(well);
});

test.each<[string, RegExp]>([
  ['throws', /^TypeError: it reads a length of nothing$/],
  ['exits', /^its process ended with exit code 0/],
  ['forges', /^it says what cannot be understood: /],
  ['reads', /^Error: it has $/],
  ['swells', /^what it makes of its parameters has 8\d{6} bytes as JSON, and may have 4194304$/],
  ['floods', /^it says what cannot be understood: a message has 4194304 bytes at most$/],
])('a schema that %s fails the request for it, and the next one is answered', async (how, why) => {
  const programs = await find();
  const refused: unknown = await programs.validate('checks', { how }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ProgramBroken);
  expect(refused).toMatchObject({ message: expect.stringMatching(why) });
  expect(await programs.validate('checks', { how: 'well' })).toEqual({ ok: true, value: { how: 'well' } });
  expect(await programs.validate('checks', { hau: 'well' })).toMatchObject({
    ok: false,
    faults: [
      { path: ['how'], code: 'missing' },
      { path: ['hau'], code: 'unknown-key' },
    ],
  });
});

test('parameters that a schema hangs with are refused, and none of those that are checked beside them', async () => {
  const programs = await find({ checkCpuMs: 500 });
  await programs.view('checks');
  const check = async (how: string): Promise<unknown> =>
    await programs.validate('checks', { how }).catch((error: unknown) => error);
  const [well, hangs, also, exits, last] = await Promise.all(
    ['well', 'hangs', 'also', 'exits', 'last'].map(async (how) => await check(how)),
  );
  expect(hangs).toEqual(new ProgramBroken('it took more than 500 ms of processor time to check its parameters'));
  expect(exits).toMatchObject({ message: expect.stringContaining('its process ended with exit code 0') as unknown });
  expect([well, also, last]).toEqual(['well', 'also', 'last'].map((how) => ({ ok: true, value: { how } })));
});

test('parameters that wait together are answered together, also while this process is busy between two looks', async () => {
  const programs = await find();
  await programs.view('checks');
  let looks = 0;
  const over = new AbortController();
  const busy = (async () => {
    for (; !over.signal.aborted; looks += 1) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      await new Promise(setImmediate);
    }
  })();
  const many = Array.from({ length: 30 }, (_, number) => ({ how: `well ${number}` }));
  const verdicts = await Promise.all(many.map(async (params) => await programs.validate('checks', params)));
  over.abort();
  await busy;
  expect(verdicts).toEqual(many.map((value) => ({ ok: true, value })));
  // One at each look would be 30.
  expect(looks).toBeLessThan(15);
});

test('a schema that has to wait for the machine longer than it may work is let finish', async () => {
  const programs = await find({ checkCpuMs: 500 });
  expect(await programs.validate('checks', { how: 'waits' })).toEqual({ ok: true, value: { how: 'waits' } });
});

test('a schema that allocates without end is ended before the machine is full', async () => {
  const programs = await find({ memoryBytes: 400 * 2 ** 20 });
  await expect(programs.validate('checks', { how: 'allocates' })).rejects.toThrow('more than 400 MiB of memory');
});

test.runIf(process.getuid?.() === 0)(
  '(needs root) the process of a program has a user of its own, who sees none of the state',
  async () => {
    const stateFolder = await mkdtemp(join(tmpdir(), 'longrun-programs-'));
    await writeFile(join(stateFolder, 'token'), 'secret', { mode: 0o600 });
    const said: string[] = [];
    const rooms = new ProgramRooms({
      stateFolder,
      programsFolder: folder,
      user: 'auto',
      report: (sentence) => said.push(sentence),
    });
    const programs = await Programs.find(folder, { launch: async (program) => await rooms.launch(program) });
    const how = `looks at ${stateFolder}`;
    const refused: unknown = await programs.validate('checks', { how }).catch((error: unknown) => error);
    await programs.close();
    await rooms.close();
    expect(said.join()).toMatch(/^children run as user \d+/);
    const [, user] = /user (\d+)/.exec(said.join()) ?? [];
    const room = join(stateFolder, `api-${hostname()}-${process.pid}`, 'checks');
    expect(refused).toMatchObject({
      message: expect.stringMatching(`Error: user ${user} in ${room}, token (ENOENT|EACCES)$`) as unknown,
    });
    expect(await readdir(stateFolder)).toEqual(['token']);
    await rm(stateFolder, { recursive: true });
  },
);

test('a process that is asked nothing is ended, and begun again when it is asked', async () => {
  const programs = await find({ idleMs: 1 });
  expect(await programs.validate('checks', { how: 'well' })).toMatchObject({ ok: true });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await programs.validate('checks', { how: 'well' })).toMatchObject({ ok: true });
});

/** The processes of programs that this one has. */
async function livingPrograms(): Promise<number[]> {
  const children = await childrenOf(process.pid);
  const lines = await Promise.all(
    children.map(async (pid) => ({ pid, line: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') })),
  );
  return lines.filter(({ line }) => line.includes('program-child')).map(({ pid }) => pid);
}
