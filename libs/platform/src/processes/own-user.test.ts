import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { OwnUser } from './own-user.js';

const isRoot = process.geteuid?.() === 0;
/** Nobody's. */
const UID = 1_950_000_000 + process.pid;

test.runIf(isRoot)('(needs root) who does not end in time is named, and nobody else is touched', async () => {
  const [stranger, other] = [UID, UID + 1].map((uid) => spawn('sleep', ['600'], { uid, gid: uid, stdio: 'ignore' }));
  const ends = [stranger, other].map(async (child) => await once(child ?? process, 'exit'));
  try {
    const user = OwnUser.of(UID);
    // It is late before the first kill.
    expect(await user.endStrangers(-1)).toEqual([expect.objectContaining({ pid: stranger?.pid })]);
    expect(stranger?.signalCode).toBe(null);

    expect(await user.endStrangers(600_000)).toEqual([]);
    expect(await ends[0]).toEqual([null, 'SIGKILL']);
    expect(other?.signalCode).toBe(null);
  } finally {
    for (const child of [stranger, other]) child?.kill('SIGKILL');
    await Promise.all(ends);
  }
});
