import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { CommandLine } from './command-line.js';
import { ID, StoredRun } from './stored-run.js';

let run: StoredRun;

beforeEach(async () => {
  run = await StoredRun.begin();
});
afterEach(() => run.end());

test('ls lists the checkpoints, newest first, and how the run has ended', async () => {
  for (const step of [100, 200]) await run.commit(step);
  expect(await run.checkpoint('ls')).toMatchObject({ code: 0, stdout: expect.stringContaining('has not ended') });
  await run.lease.end({ reason: 'succeeded', step: 200 });
  const { code, stdout } = await run.checkpoint('ls');
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^experiments\/exp_1 {2}fence 3 \(worker-a\), succeeded at step 200\nCHECKPOINT .*\n200-3 +200 .* 2 +newest\n100-3 +100 .* 1\n$/,
  );
  expect(await run.json('ls')).toMatchObject({
    prefix: 'experiments/exp_1',
    objects: run.store.url,
    fence: 3,
    holder: 'worker-a',
    outcome: { reason: 'succeeded' },
    log: null,
    checkpoints: [
      { name: '200-3', step: 200, fence: 3, newest: true, files: 2, logRows: 2 },
      { name: '100-3', step: 100, fence: 3, newest: false, files: 2, logRows: 1 },
    ],
  });
});

test('ls sums up who holds a checkpoint, without those whose time has passed; --json has each', async () => {
  for (const step of [100, 200]) await run.commit(step);
  const comes = '2999-01-01T00:00:00.000Z';
  const downloads = Array.from({ length: 40 }, (_, at) => ({ name: `download ${at}`, until: comes }));
  await run.hold(100, [
    { name: 'pin' },
    ...downloads,
    { name: 'download last', until: '2999-01-01T00:10:00.000Z' },
    { name: 'download gone', until: '2001-01-01T00:00:00.000Z' },
    { name: 'fork exp_2' },
  ]);
  await run.hold(200, [
    { name: 'fork exp_3' },
    { name: 'fork exp_4', until: comes },
    { name: 'download 1', until: comes },
  ]);
  const { stdout } = await run.checkpoint('ls');
  expect(stdout).toMatch(/\n200-3 .* newest, held by 2 forks, held by download 1 until 2999-01-01T00:00:00Z\n/);
  expect(stdout).toMatch(/\n100-3 .* pinned, held by 41 downloads until 2999-01-01T00:10:00Z, held by fork exp_2\n$/);
  const listed = { name: '100-3', holds: expect.toSatisfy((holds: unknown[]) => holds.length === 43) };
  const found = await run.json('ls');
  expect(found).toMatchObject({ checkpoints: [{ name: '200-3' }, listed] });
  expect(JSON.stringify(found)).not.toContain('download gone');
});

test('an experiment without checkpoints has an empty list', async () => {
  expect(await run.checkpoint('ls')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('has no checkpoints yet'),
  });
  expect(await run.json('ls')).toMatchObject({ checkpoints: [] });
});

test('the store is that of --objects, of LONGRUN_OBJECTS or of the state folder, and a prefix may be given', async () => {
  await run.commit(100);
  const elsewhere = new CommandLine(join(run.folder, 'elsewhere'));
  const words = ['checkpoint', 'ls', 'experiments/exp_1'];
  expect(await elsewhere.run(...words)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('elsewhere/objects'),
  });
  expect(await elsewhere.run(...words, '--objects', run.store.url)).toMatchObject({ code: 0 });
  expect(await elsewhere.runWith({ LONGRUN_OBJECTS: run.store.url }, ...words)).toMatchObject({ code: 0 });
  expect(await readdir(run.folder)).not.toContain('elsewhere');
});

test('show says what the latest checkpoint, or another, consists of', async () => {
  const manifests = [await run.commit(100), await run.commit(200)];
  const { code, stdout } = await run.checkpoint('show');
  expect(code).toBe(0);
  for (const part of ['200-3', 'engine: reference', manifests[1]?.files[0]?.sha256, manifests[1]?.log[0]?.sha256])
    expect(stdout).toContain(part);
  expect(stdout).toMatch(/tensors of parameters\.safetensors\n {2}NAME .*\n {2}\/mlp\.W +float32 +\(2, 1\)\n/);
  expect(await run.json('show', '100')).toMatchObject({
    name: '100-3',
    manifestKey: 'experiments/exp_1/checkpoints/100-3.json',
    step: 100,
    environment: { engine: 'reference' },
    files: manifests[0]?.files,
    tensors: [{ file: 'parameters.safetensors', tensors: [{ name: '/mlp.W', dtype: 'float32', shape: [2, 1] }] }],
    log: manifests[0]?.log,
  });
});

test('verify reads everything: it ends with 1 and says the damage, of the checkpoint that has it and of all', async () => {
  const [first] = [await run.commit(100), await run.commit(200)];
  expect(await run.checkpoint('verify', '--all')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^✓ 200-3 .*all whole\n✓ 100-3 .*all whole\n$/),
  });
  const key = first?.files[1]?.blobKey ?? 'none';
  await run.flipBit(key);
  expect(await run.checkpoint('verify')).toMatchObject({ code: 0 });
  for (const which of ['100', '--all']) {
    const { code, stdout } = await run.checkpoint('verify', which);
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ 100-3 .*1 damaged\n {4}file state\.json has SHA-256/);
    expect(stdout).toContain(key);
    const asJson = await run.checkpoint('verify', which, '--json');
    expect(asJson.code).toBe(1);
    const report: unknown = JSON.parse(asJson.stdout);
    expect(report).toMatchObject({
      ok: false,
      checkpoints: expect.arrayContaining([expect.objectContaining({ damage: [expect.objectContaining({ key })] })]),
    });
  }
});

test('a damaged log segment is said, though its other copy is whole', async () => {
  const { log } = await run.commit(100);
  await run.flipBit(log[0]?.keys[1] ?? 'none');
  expect(await run.checkpoint('verify')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('another copy is whole'),
  });
});

test('what is said of a damaged checkpoint ends in a command that finds it', async () => {
  await run.commit(100);
  await run.flipBit('experiments/exp_1/checkpoints/100-3.json');
  const { code, stderr } = await run.checkpoint('show', '100', '--objects', run.store.url);
  expect({ code, isSaid: stderr.includes('its bytes have changed') }).toEqual({ code: 1, isSaid: true });
  const [, words = ''] = /: longrun (checkpoint verify .*)\n$/.exec(stderr) ?? [];
  const elsewhere = new CommandLine(join(run.folder, 'elsewhere'));
  const found = await elsewhere.run(...words.split(' ').map((word) => word.replaceAll("'", '')));
  expect(found).toMatchObject({ code: 1, stdout: expect.stringContaining('✗ 100-3') });
});

test('diff says by how much tensors differ, and which values of the state', async () => {
  for (const step of [100, 200]) await run.commit(step);
  const { code, stdout } = await run.checkpoint('diff', '100', 'latest');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^100-3 \(A\) and 200-3 \(B\)\n/);
  expect(stdout).toMatch(
    /parameters\.safetensors {2}differs\n {2}TENSOR .*\n {2}\/mlp\.W +1 element, by 100 at most\n/,
  );
  expect(stdout).toMatch(/state\.json {2}differs\n {2}loop\.step: 100 → 200\n$/);
  expect(await run.json('diff', '100', '100-3')).toEqual({
    a: '100-3',
    b: '100-3',
    files: [
      { name: 'parameters.safetensors', kind: 'equal' },
      { name: 'state.json', kind: 'equal' },
    ],
  });
});

test.each([
  ['an unknown experiment', 1, ['ls', 'exp_2'], 'nothing was ever written under experiments/exp_2'],
  ['an unknown step', 1, ['show', ID, '150'], 'has no checkpoint 150; it has 200-3, 100-3'],
  ['an unknown step to verify', 1, ['verify', ID, '150'], 'has no checkpoint 150; it has 200-3, 100-3'],
  ['a store that is not there', 1, ['ls', ID, '--objects', 'file:/nowhere/at/all'], 'no folder that can be read'],
  ['a store of another kind', 2, ['ls', ID, '--objects', 'ftp://x/y'], 'give a folder'],
  ['a prefix that cannot be one', 2, ['ls', 'a//b'], 'its segment "" is not allowed'],
  ['an export to nowhere', 2, ['export', ID], 'give --to FOLDER or --parameters FILE'],
  ['an export to two places', 2, ['export', ID, '--to', 'a', '--parameters', 'b'], 'cannot be used with'],
  ['an export to a folder without a name', 2, ['export', ID, '--to', ''], 'Give the name of a folder'],
  ['an export to a folder of blanks', 2, ['export', ID, '--to', '  '], 'Give the name of a folder'],
  ['an export to a file without a name', 2, ['export', ID, '--parameters', ''], 'Give the name of a file'],
  ['an export to a file named as a folder', 2, ['export', ID, '--parameters', 'new/'], 'which ends in no slash'],
  ['an export to a name that is too long', 1, ['export', ID, '--to', 'n'.repeat(300)], 'ENAMETOOLONG'],
  ['an export to the root of all', 1, ['export', ID, '--to', '/'], '/ is there already'],
  ['a store without a name', 2, ['ls', ID, '--objects', ''], 'give a folder'],
  ['a checkpoint to verify beside all', 2, ['verify', ID, '100', '--all'], 'give one checkpoint, or --all'],
] as const)('%s is told in a sentence, with exit code %i', async (_what, exitCode, words, says) => {
  for (const step of [100, 200]) await run.commit(step);
  const { code, stdout, stderr } = await run.longrun.run('checkpoint', ...words);
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
  expect(stderr).toContain(says);
  expect(stderr).not.toMatch(/^ +at /m);
  const asJson = await run.longrun.run('checkpoint', ...words, '--json');
  expect(asJson).toMatchObject({ code: exitCode, stdout: '' });
  const { error }: { error: { message: string } } = JSON.parse(asJson.stderr);
  expect(error.message).toContain(says);
});

test('where there is no checkpoint, or the head is damaged, each command says so', async () => {
  const commands = [
    ['show', ID],
    ['verify', ID],
    ['verify', ID, '--all'],
    ['export', ID, '--to', join(run.folder, 'x')],
    ['diff', ID, '1', '2'],
  ];
  for (const words of commands) {
    const { code, stderr } = await run.longrun.run('checkpoint', ...words);
    expect({ words, code, stderr }).toEqual({
      words,
      code: 1,
      stderr: 'longrun: experiments/exp_1 has no checkpoints yet\n',
    });
  }
  const head = 'experiments/exp_1/head.json';
  await run.store.compareAndSet(head, (await run.store.readRegister(head))?.version ?? null, Buffer.from('broken'));
  for (const words of [['ls', ID], ...commands]) {
    const { code, stderr } = await run.longrun.run('checkpoint', ...words);
    expect({ words, code, lines: stderr.split('\n').length }).toEqual({ words, code: 1, lines: 2 });
    expect(stderr).toContain('is not a JSON object with a version');
  }
});

test('no command changes anything in the store', async () => {
  for (const step of [100, 200]) await run.commit(step);
  const before = await everything();
  expect(before.size).toBeGreaterThan(8);
  const commands = [
    ['ls'],
    ['show'],
    ['verify', '--all'],
    ['export', '--to', join(run.folder, 'all')],
    ['diff', '100', '200'],
  ] as const;
  for (const [command, ...words] of commands)
    expect(await run.checkpoint(command, ...words)).toMatchObject({ code: 0 });
  expect(await everything()).toEqual(before);
});

/** Every file of the store with its bytes. */
async function everything(): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(join(run.longrun.state, 'objects'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.toSorted().map(async (file) => [file, await readFile(file, 'hex')] as const)));
}
