import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProgramBroken, type ProgramModule } from '@longrun/platform';
import { childrenOf } from '@longrun/platform/processes';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { Refusal } from '../src/problems/refusal.js';
import { PROGRAM_LIMITS, type ProgramLimits } from '../src/programs/program-limits.js';
import { ProgramProcesses } from '../src/programs/program-processes.js';
import { ProgramRooms } from '../src/programs/program-rooms.js';
import { programOf } from './service.js';

const opened: { readonly programs: ProgramProcesses; readonly rooms: ProgramRooms; readonly folder: string }[] = [];
let checks: ProgramModule;

beforeAll(async () => {
  const { module } = await programOf('checks');
  checks = moduleOf(module);
});

afterEach(async () => {
  for (const { programs, rooms, folder } of opened.splice(0)) {
    await programs.close();
    await rooms.close();
    // Nothing of a program is left.
    expect((await readdir(folder)).filter((name) => name !== 'token')).toEqual([]);
    await rm(folder, { recursive: true });
  }
});

/** Processes of programs, in a state folder of their own, which is said. */
async function find(
  limits: Partial<ProgramLimits> = {},
  onOpen: () => unknown = () => {},
  { user = 'worker', report = () => {} }: Partial<ConstructorParameters<typeof ProgramRooms>[0]> = {},
): Promise<ProgramProcesses & { readonly stateFolder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'longrun-programs-'));
  const rooms = new ProgramRooms({ stateFolder: folder, user, report });
  const programs = new ProgramProcesses({
    limits: { ...PROGRAM_LIMITS, ...limits },
    rooms: {
      open: async (module) => {
        await onOpen();
        return await rooms.open(module);
      },
    },
  });
  opened.push({ programs, rooms, folder });
  return Object.assign(programs, { stateFolder: folder });
}

/** A module that is published, or to be. */
function moduleOf(text: string | Uint8Array): ProgramModule {
  const module = Buffer.from(text);
  return {
    name: 'checks',
    sha256: createHash('sha256').update(module).digest('hex'),
    read: () => Promise.resolve(module),
  };
}

/** A module that needs nothing of Longrun. */
const HANGS = moduleOf('for (;;);');

test('a program says what it takes; one that cannot be imported, or does not come back, is not tried again for a while', async () => {
  let launched = 0;
  const programs = await find({ loadCpuMs: 4_000 }, () => (launched += 1));
  expect(await programs.inspect(checks)).toEqual({
    description: 'A program whose schema has ways of its own.',
    params: expect.objectContaining({ properties: { how: { type: 'string' } } }) as unknown,
  });
  const tooLong = new ProgramBroken('it took more than 4000 ms of processor time to be imported');
  await expect(programs.inspect(HANGS)).rejects.toThrow(tooLong);
  await expect(programs.inspect(moduleOf('throw new Error("there is a comma missing")'))).rejects.toThrow(
    new ProgramBroken('Error: there is a comma missing'),
  );
  await expect(programs.inspect(moduleOf('export const x = 1;'))).rejects.toThrow(
    'The module is not a program: make defineExperiment({ ... }) its default export',
  );
  await expect(programs.inspect(moduleOf("import 'express';"))).rejects.toThrow("Cannot find package 'express'");
  expect(launched).toBe(5);

  const again = await Promise.allSettled([programs.inspect(HANGS), programs.validate(HANGS, {})]);
  expect(again).toMatchObject([{ reason: tooLong }, { reason: tooLong }]);
  expect(launched).toBe(5);
});

test('a broken program is tried again after some time', async () => {
  let launched = 0;
  const programs = await find({ brokenMs: 0 }, () => (launched += 1));
  const throws = moduleOf('throw new Error("one")');
  for (let look = 0; look < 2; look += 1) await expect(programs.inspect(throws)).rejects.toThrow('Error: one');
  expect(launched).toBe(2);
});

test('one that waits for ever as it is imported is ended', async () => {
  const programs = await find({ waitMs: 1_000 });
  await expect(programs.inspect(moduleOf('await new Promise(() => {});'))).rejects.toThrow(
    new ProgramBroken('it has waited for 1000 ms to be imported'),
  );
});

test('one whose process is killed as it is imported is tried again', async () => {
  let launched = 0;
  const programs = await find({}, () => (launched += 1));
  const dies = moduleOf("process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});");
  for (let time = 1; time <= 2; time += 1) {
    await expect(programs.inspect(dies)).rejects.toThrow('its process ended with SIGKILL');
    expect(launched).toBe(time);
  }
});

test('of many programs so many processes live at once, and each is answered in turn', async () => {
  const { module } = await programOf('checks');
  const four = [1, 2, 3, 4].map((number) => moduleOf(Buffer.concat([module, Buffer.from(`// ${number}`)])));
  const others: number[] = [];
  const programs = await find({ processes: 2, idleMs: 3_600_000 }, async () =>
    others.push((await livingPrograms()).length),
  );
  const facts = await Promise.all(four.map(async (one) => await programs.inspect(one)));
  expect(new Set(facts.map(({ description }) => description)).size).toBe(1);
  expect(await livingPrograms()).toHaveLength(2);
  expect(others).toHaveLength(4);
  // Each is begun in one of the two places; what has the other may have just begun, too, or just ended.
  expect(Math.max(...others)).toBeLessThanOrEqual(1);
  // One that was ended for another is begun again.
  for (const one of four)
    expect(await programs.validate(one, { how: 'well' })).toEqual({ ok: true, value: { how: 'well' } });
  expect(others.length).toBeGreaterThan(4);
});

test('who asks a program while many wait for it is refused for now, and those who wait are answered', async () => {
  const programs = await find({ questions: 3 });
  const check = async (): Promise<unknown> =>
    await programs.validate(checks, { how: 'well' }).catch((error: unknown) => error);
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
  const refused: unknown = await programs.validate(checks, { how }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ProgramBroken);
  expect(refused).toMatchObject({ message: expect.stringMatching(why) });
  expect(await programs.validate(checks, { how: 'well' })).toEqual({ ok: true, value: { how: 'well' } });
  expect(await programs.validate(checks, { hau: 'well' })).toMatchObject({
    ok: false,
    faults: [
      { path: ['how'], code: 'missing' },
      { path: ['hau'], code: 'unknown-key' },
    ],
  });
});

test('parameters that a schema hangs with are refused, and none of those that are checked beside them', async () => {
  const programs = await find({ checkCpuMs: 500 });
  await programs.inspect(checks);
  const check = async (how: string): Promise<unknown> =>
    await programs.validate(checks, { how }).catch((error: unknown) => error);
  const [well, hangs, also, exits, last] = await Promise.all(
    ['well', 'hangs', 'also', 'exits', 'last'].map(async (how) => await check(how)),
  );
  expect(hangs).toEqual(new ProgramBroken('it took more than 500 ms of processor time to check its parameters'));
  expect(exits).toMatchObject({ message: expect.stringContaining('its process ended with exit code 0') as unknown });
  expect([well, also, last]).toEqual(['well', 'also', 'last'].map((how) => ({ ok: true, value: { how } })));
});

test('parameters that wait together are answered together, also while this process is busy between two looks', async () => {
  const programs = await find();
  await programs.inspect(checks);
  let looks = 0;
  const over = new AbortController();
  const busy = (async () => {
    for (; !over.signal.aborted; looks += 1) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      await new Promise(setImmediate);
    }
  })();
  const many = Array.from({ length: 30 }, (_, number) => ({ how: `well ${number}` }));
  const verdicts = await Promise.all(many.map(async (params) => await programs.validate(checks, params)));
  over.abort();
  await busy;
  expect(verdicts).toEqual(many.map((value) => ({ ok: true, value })));
  // One at each look would be 30.
  expect(looks).toBeLessThan(15);
});

test('a schema that has to wait for the machine longer than it may work is let finish', async () => {
  const programs = await find({ checkCpuMs: 500 });
  expect(await programs.validate(checks, { how: 'waits' })).toEqual({ ok: true, value: { how: 'waits' } });
});

test('a schema that allocates without end is ended before the machine is full', async () => {
  const programs = await find({ memoryBytes: 400 * 2 ** 20 });
  await expect(programs.validate(checks, { how: 'allocates' })).rejects.toThrow('more than 400 MiB of memory');
});

test.runIf(process.getuid?.() === 0)(
  '(needs root) the process of a program has a user of its own, who sees none of the state',
  async () => {
    const said: string[] = [];
    const programs = await find({}, () => {}, { user: 'auto', report: (sentence) => said.push(sentence) });
    const { stateFolder } = programs;
    await writeFile(join(stateFolder, 'token'), 'secret', { mode: 0o600 });
    const how = `looks at ${stateFolder}`;
    const refused: unknown = await programs.validate(checks, { how }).catch((error: unknown) => error);
    expect(said.join()).toMatch(/^children run as user \d+/);
    const [, user] = /user (\d+)/.exec(said.join()) ?? [];
    const room = join(stateFolder, `api-${hostname()}-${process.pid}`, 'program-1', 'own');
    expect(refused).toMatchObject({
      message: expect.stringMatching(
        `Error: user ${user} in ${room}, token (ENOENT|EACCES), module (EROFS|EACCES)$`,
      ) as unknown,
    });
  },
);

test('a process that is asked nothing is ended, and begun again when it is asked', async () => {
  const programs = await find({ idleMs: 1 });
  expect(await programs.validate(checks, { how: 'well' })).toMatchObject({ ok: true });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await programs.validate(checks, { how: 'well' })).toMatchObject({ ok: true });
});

/** The processes of programs that this one has. */
async function livingPrograms(): Promise<number[]> {
  const children = await childrenOf(process.pid);
  const lines = await Promise.all(
    children.map(async (pid) => ({ pid, line: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') })),
  );
  return lines.filter(({ line }) => line.includes('program-child')).map(({ pid }) => pid);
}
