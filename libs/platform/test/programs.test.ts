import { createHash } from 'node:crypto';

import { DatasetSpec, programKey } from '@longrun/contracts';
import { sql } from 'kysely';
import { expect } from 'vitest';

import { ProgramBroken, type ProgramHost } from '../src/index.js';
import { anyProgram, publishModule, until } from '../src/testing/index.js';
import { experimentSpec, test } from './world.js';

const digits = DatasetSpec.parse({ name: 'digits', converter: 'mnist' });
const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

test('what was published last under a name is the newest; the older ones are there by their hashes', async ({
  world,
}) => {
  const { programs } = await world.start({ role: 'api' });
  const [a, b] = [await publishModule(world.platform, 'two', 'a'), await publishModule(world.platform, 'two', 'b')];
  expect(await programs.get('two')).toMatchObject({ name: 'two', sha256: b, sizeBytes: 1, libraries: {} });
  expect(await programs.get(`two@${a.slice(0, 6)}`)).toMatchObject({ sha256: a });
  const { items } = await programs.list();
  expect(items.filter(({ name }) => name === 'two').map(({ sha256 }) => sha256)).toEqual([b]);
  const pages = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await programs.list({ name: 'two', limit: 1, cursor });
    pages.push(page.items.map(({ sha256 }) => sha256));
    cursor = page.nextCursor;
  }
  expect(pages).toEqual([[b], [a]]);

  const module = Buffer.from('a');
  expect(await programs.publish({ name: 'two', sha256: a, module })).toMatchObject({ created: false });
  expect(await programs.get('two')).toMatchObject({ sha256: a });
  const { rows } =
    await sql`select before, after from audit where action = 'publish' and subject = 'two' order by number`.execute(
      world.record.db,
    );
  expect(rows).toEqual([
    { before: null, after: { sha256: a } },
    { before: { sha256: a }, after: { sha256: b } },
    { before: { sha256: b }, after: { sha256: a } },
  ]);
});

test('a module says in its first line what it was made against', async ({ world }) => {
  const { programs } = await world.start({ role: 'api' });
  const libraries = { '@longrun/blocks': '0.1.0' };
  await publishModule(world.platform, 'made', `/* longrun program ${JSON.stringify(libraries)} */\nexport default 1;`);
  expect(await programs.get('made')).toMatchObject({ libraries });
  await publishModule(world.platform, 'made', '/* longrun program {"@longrun/blocks": 7} */\nexport default 1;');
  expect(await programs.get('made')).toMatchObject({ libraries: {} });
});

test('an experiment has the program that was the newest as it was submitted, or the one that it names', async ({
  world,
}) => {
  const { experiments, datasets } = await world.start({ role: 'api' });
  await datasets.submit(digits);
  const first = await publishModule(world.platform, 'named', 'first');
  const submit = async (program: string, key?: string) =>
    (await experiments.submit(experimentSpec({ program }), { idempotencyKey: key })).experiment;
  const old = await submit('named', 'key');
  const second = await publishModule(world.platform, 'named', 'second');
  expect(await submit('named', 'key')).toMatchObject({ id: old.id, programSha256: first });
  expect(await submit('named')).toMatchObject({ programSha256: second, name: 'named', spec: { program: 'named' } });
  const pinned = `named@${first.slice(0, 10)}`;
  expect(await submit(pinned)).toMatchObject({ programSha256: first, name: 'named', spec: { program: pinned } });
});

test('a reference that means no program, or several, is refused with what could be meant', async ({ world }) => {
  const { experiments, datasets, programs } = await world.start({ role: 'api' });
  await datasets.submit(digits);
  const both = [];
  for (let number = 0; both.length < 2; number += 1)
    if (sha256Of(String(number)).startsWith('00'))
      both.push(await publishModule(world.platform, 'alike', String(number)));
  // No two in reach share six digits: the record is told so.
  const shared = '00'.padEnd(12, 'ab');
  for (const [index, sha256] of both.entries()) {
    const altered = shared + sha256.slice(12, -1) + String(index);
    await sql`update programs set sha256 = ${altered} where name = 'alike' and sha256 = ${sha256}`.execute(
      world.record.db,
    );
  }
  const refusal = async (program: string): Promise<unknown> =>
    await experiments.submit(experimentSpec({ program })).catch((error: unknown) => error);
  expect(await refusal(`alike@${shared}`)).toMatchObject({
    kind: 'invalid-request',
    faults: [
      {
        path: ['program'],
        code: 'program-hash-ambiguous',
        facts: { candidates: [expect.any(String), expect.any(String)] },
      },
    ],
  });
  expect(await refusal('alike@00')).toMatchObject({
    faults: [{ code: 'program-hash-malformed', facts: { prefix: '00' } }],
  });
  expect(await refusal('alike@00%%%%')).toMatchObject({ faults: [{ code: 'program-hash-malformed' }] });
  expect(await refusal('alike@fffffff')).toMatchObject({
    faults: [
      { code: 'program-hash-unknown', facts: { known: [expect.stringMatching(/^alike@00/), expect.anything()] } },
    ],
  });
  expect(await refusal('alik')).toMatchObject({
    faults: [{ code: 'name-unknown', facts: { name: 'alik', near: ['alike', 'mlp'] } }],
  });
  await expect(programs.get('alike@fffffff')).rejects.toMatchObject({ kind: 'not-found' });
  await expect(programs.get(`alike@${shared}`)).rejects.toMatchObject({
    kind: 'invalid-parameter',
    faults: [{ parameter: 'program', code: 'program-hash-ambiguous' }],
  });
});

test('a module that is broken, altered or says too much is not kept, and disturbs nothing', async ({ world }) => {
  const programHost: ProgramHost = {
    ...anyProgram,
    inspect: async (program) => {
      const text = Buffer.from(await program.read()).toString();
      if (text === 'broken') throw new ProgramBroken('there is a comma missing');
      return { description: '', params: text === 'long' ? { title: 'x'.repeat(200_000) } : {} };
    },
  };
  const { programs } = await world.start({ role: 'api', programHost });
  const fine = await publishModule(world.platform, 'fine', 'fine');
  const refusal = async (text: string, sha256 = sha256Of(text)): Promise<unknown> =>
    await programs.publish({ name: 'fine', sha256, module: Buffer.from(text) }).catch((error: unknown) => error);
  expect(await refusal('broken')).toMatchObject({
    kind: 'invalid-request',
    faults: [{ code: 'module-broken', facts: { program: 'fine', says: 'there is a comma missing' } }],
  });
  expect(await refusal('long')).toMatchObject({ faults: [{ code: 'module-broken' }] });
  expect(await refusal('other', fine)).toMatchObject({
    faults: [{ code: 'module-altered', facts: { said: fine, found: sha256Of('other') } }],
  });
  expect(await programs.get('fine')).toMatchObject({ sha256: fine });
  for (const text of ['broken', 'long', 'other'])
    expect(await world.store.head(programKey(sha256Of(text)))).toBeUndefined();
});

test('many who publish at once all do, and a module that the store has lost is there again once it is published again', async ({
  world,
}) => {
  const { programs } = await world.start({ role: 'api' });
  const module = Buffer.from('at once');
  const sha256 = sha256Of('at once');
  const all = await Promise.all(
    ['one', 'one', 'one', 'other'].map(async (name) => await programs.publish({ name, sha256, module })),
  );
  expect(all.filter(({ created }) => created).map(({ program }) => program.name)).toEqual(['one', 'other']);
  await world.store.delete([programKey(sha256)]);
  const lost = programs.moduleOf({ name: 'one', sha256 });
  await expect(lost.read()).rejects.toMatchObject({ kind: 'unreadable', faults: [{ code: 'program-damaged' }] });
  await world.store.put(programKey(sha256), Buffer.from('another'));
  await expect(lost.read()).rejects.toMatchObject({ faults: [{ code: 'program-damaged' }] });
  await programs.publish({ name: 'one', sha256, module });
  expect(Buffer.from(await lost.read())).toEqual(module);
});

test('an experiment from before there were modules waits for one of its name, and runs that', async ({ world }) => {
  const { experiments } = await world.start();
  await world.readyDataset();
  await publishModule(world.platform, 'old', 'old');
  const { experiment } = await experiments.submit(experimentSpec({ program: 'old', priority: -1 }));
  await world.platform.close();
  await sql`update experiments set program_sha256 = null where id = ${experiment.id}`.execute(world.record.db);
  await sql`delete from programs where name = 'old'`.execute(world.record.db);

  await world.start();
  const worker = world.worker('one');
  // What comes behind it goes before it.
  const other = await world.submit({ priority: -2 });
  const attempt = await worker.next();
  expect(attempt.ticket.id).toBe(other);
  expect(await world.platform.experiments.get(experiment.id)).toMatchObject({
    programSha256: null,
    message: 'Waits for the program old: publish it',
  });
  const sha256 = await publishModule(world.platform, 'old', 'new');
  expect(await world.platform.experiments.get(experiment.id)).toMatchObject({ programSha256: sha256 });
  const next = await world.worker('two').next();
  expect(next.ticket.id).toBe(experiment.id);
  expect(await next.specification()).toMatchObject({
    version: 3,
    program: { sha256, sizeBytes: 3, fileKey: programKey(sha256) },
  });
  await until(async () => (await world.platform.experiments.get(other)).attempts.length > 0);
});
