import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProgramBroken } from '@longrun/platform';
import { afterEach, expect, test } from 'vitest';
import { PROGRAM_LIMITS, type ProgramLimits } from '../src/programs/program-process.js';
import { ProgramRooms } from '../src/programs/program-rooms.js';
import { Programs } from '../src/programs/programs.js';

const folder = fileURLToPath(new URL('broken-programs', import.meta.url));
const opened: Programs[] = [];

afterEach(async () => {
  for (const programs of opened.splice(0)) await programs.close();
});

async function find(limits: Partial<ProgramLimits> = {}): Promise<Programs> {
  const programs = await Programs.find(folder, { limits: { ...PROGRAM_LIMITS, ...limits } });
  opened.push(programs);
  return programs;
}

test('programs that cannot be imported are listed with why, beside the one that can', async () => {
  const programs = await find();
  const [checks, , otherName, throws] = await Promise.all(
    ['checks', 'hangs', 'other-name', 'throws'].map(async (name) =>
      name === 'hangs' ? undefined : await programs.view(name),
    ),
  );
  expect(programs.names()).toEqual(['checks', 'hangs', 'other-name', 'throws']);
  expect(checks).toMatchObject({ name: 'checks', broken: null, params: { properties: { how: { type: 'string' } } } });
  expect(otherName?.broken).toContain('other-name.mjs has the program mlp; call the file as the program');
  expect(throws?.broken).toBe('Error: there is a comma missing');
});

test('one that does not come back when it is imported is ended, and said to hang', async () => {
  const programs = await find({ loadMs: 500 });
  await expect(programs.validate('hangs', {})).rejects.toThrow(
    new ProgramBroken('it took longer than 500 ms to be imported'),
  );
});

test.each<[string, RegExp]>([
  ['throws', /^TypeError: it reads a length of nothing$/],
  ['exits', /^its process ended with exit code 0/],
  ['forges', /^it says what cannot be understood: /],
  ['reads', /^Error: it has $/],
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
  const programs = await find({ checkMs: 500 });
  await programs.view('checks');
  const check = async (how: string): Promise<unknown> =>
    await programs.validate('checks', { how }).catch((error: unknown) => error);
  const [well, hangs, also, exits, last] = await Promise.all(
    ['well', 'hangs', 'also', 'exits', 'last'].map(async (how) => await check(how)),
  );
  expect(hangs).toEqual(new ProgramBroken('it took longer than 500 ms to check its parameters'));
  expect(exits).toMatchObject({ message: expect.stringContaining('its process ended with exit code 0') as unknown });
  expect([well, also, last]).toEqual(['well', 'also', 'last'].map((how) => ({ ok: true, value: { how } })));
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
