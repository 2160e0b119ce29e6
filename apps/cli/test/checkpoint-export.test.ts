import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { smallDisk } from '@longrun/platform/testing';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';

import { parametersAt } from './commit-checkpoint.js';
import { ID, StoredRun } from './stored-run.js';

let run: StoredRun;

beforeEach(async () => {
  run = await StoredRun.begin();
});
afterEach(() => run.end());

test('export copies the files to a folder, and the parameters to a file', async () => {
  for (const step of [100, 200]) await run.commit(step);
  const target = join(run.folder, 'exported');
  expect(await run.checkpoint('export', '100', '--to', target)).toMatchObject({ code: 0 });
  expect(await readdir(target)).toEqual(['parameters.safetensors', 'state.json']);
  expect(await readFile(join(target, 'parameters.safetensors'))).toEqual(Buffer.from(parametersAt(100)));

  const file = join(run.folder, 'model.safetensors');
  expect(await run.json('export', '--parameters', file)).toMatchObject({
    name: '200-3',
    step: 200,
    target: file,
    files: [{ name: 'parameters.safetensors', sha256: expect.any(String) }],
  });
  expect(await readFile(file)).toEqual(Buffer.from(parametersAt(200)));
});

test('export refuses what is there already, and leaves nothing of a damaged checkpoint', async () => {
  const { files } = await run.commit(100);
  const target = join(run.folder, 'exported');
  await mkdir(target);
  await writeFile(join(target, 'mine'), 'mine');
  expect(await run.checkpoint('export', '--to', target)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is not an empty folder'),
  });
  expect(await readdir(target)).toEqual(['mine']);
  await run.flipBit(files[1]?.blobKey ?? 'none');
  expect(await run.checkpoint('export', '--to', join(run.folder, 'new', 'one'))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/its bytes have changed; .*: longrun checkpoint verify exp_1 --all\n$/),
  });
  expect(await readdir(join(run.folder, 'new'))).toEqual([]);
  // Below a file there can be no folder.
  const below = join(target, 'mine', 'folder');
  const refused = await run.checkpoint('export', '--to', below);
  expect(refused.code).toBe(1);
  expect(refused.stderr).not.toMatch(/^ +at /m);
});

test('the longest name that a file may have can be exported to', async () => {
  await run.commit(100);
  for (const [option, name] of Object.entries({ '--to': 'n'.repeat(255), '--parameters': 'm'.repeat(255) })) {
    expect(await run.checkpoint('export', option, join(run.folder, name))).toMatchObject({ code: 0, stderr: '' });
  }
});

test('a full disk is told with the place and what is needed there, nothing is left, and what was freed suffices', async (context) => {
  const disk = smallDisk();
  onTestFinished(() => disk.end());
  context.skip(disk.how !== 'its disk is full', disk.how);
  const { files } = await run.commit(100, 1_000_000);
  const sizes = files.map(({ sizeBytes }) => sizeBytes);
  const [parametersBytes = 0, stateBytes = 0] = sizes;
  disk.break();
  const before = await readdir(disk.folder);
  for (const [option, neededBytes] of [
    ['--to', parametersBytes + stateBytes],
    ['--parameters', parametersBytes],
  ] as const) {
    const target = join(disk.folder, 'exported');
    const { code, stdout, stderr } = await run.checkpoint('export', option, target);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(
        `^longrun: there is no room for ${target}: ${neededBytes} bytes are needed and \\d+ are free .*ENOSPC.*\\n$`,
      ),
    );
    expect(await readdir(disk.folder)).toEqual(before);
  }
  disk.mend();
  expect(await run.checkpoint('export', '--to', join(disk.folder, 'exported'))).toMatchObject({ code: 0 });
});

test('a disk that takes no file as large is told with the place, and nothing is left', async () => {
  await run.commit(100, 1_000_000);
  const target = join(run.folder, 'copies', 'exported');
  const bin = fileURLToPath(new URL('../bin/longrun.js', import.meta.url));
  const words = ['--state', run.longrun.state, 'checkpoint', 'export', ID, '--to', target];
  // In blocks of a kilobyte or half of one.
  const limited = spawnSync('sh', ['-c', 'ulimit -f 100; exec "$@"', 'sh', process.execPath, bin, ...words], {
    encoding: 'utf8',
  });
  expect({ code: limited.status, stderr: limited.stderr }).toEqual({
    code: 1,
    stderr: `longrun: ${target} cannot be written (EFBIG: file too large, write); give another place; nothing of it was left\n`,
  });
  expect(await readdir(join(run.folder, 'copies'))).toEqual([]);
});
