import { join } from 'node:path';
import { type Disk, smallDisk } from '@longrun/platform/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { writeIdxFiles } from './idx.js';
import { World } from './world.js';

const isRoot = process.geteuid?.() === 0;
const disk: Disk = smallDisk();
const mayBeFull = disk.fault.test('ENOSPC');

let world: World;

beforeAll(async () => {
  world = await World.begin();
  await writeIdxFiles(join(world.rawFolder, 'sound'));
});

afterEach(async () => {
  disk.mend();
  await world.endProcesses();
});

afterAll(async () => {
  await world.end();
  disk.end();
});

test.runIf(mayBeFull)(
  '(needs mounts) a conversion on a full disk is not charged; its worker takes no more until it can',
  async () => {
    const sick = await world.newWorker({ LONGRUN_STATE: disk.folder, LONGRUN_CHECK_AGAIN_MS: '100' });
    disk.break();
    const id = await world.submit('cramped', 'sound');
    const waiting = await world.whenDataset(id, ({ attempts }) => attempts.length === 2);
    expect(waiting.attempts[0]).toMatchObject({ reason: 'worker_unfit' });
    expect(waiting.attempts[0]?.message).toMatch(disk.fault);
    expect(sick.output).toContain(`quarantined: The folder ${disk.folder}`);

    disk.mend();
    const { status, attempts } = await world.whenEnded(id);
    expect(status).toBe('ready');
    expect(attempts.map(({ reason }) => reason)).toEqual(['worker_unfit', 'succeeded']);
  },
);

test.runIf(isRoot)(
  '(needs root) also with the folder of raw files that it made itself, a worker’s converters are another user',
  async () => {
    const worker = await world.newWorker({ LONGRUN_RAW: '' });
    expect(worker.output).toContain('fuel-preproc: children run as user ');
    await writeIdxFiles(join(world.stateFolder, 'raw', 'sound'));
    expect(await world.whenEnded(await world.submit('of-its-own', 'sound'))).toMatchObject({ status: 'ready' });
  },
);
