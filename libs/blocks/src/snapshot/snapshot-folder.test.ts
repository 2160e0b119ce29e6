import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { MockMainLoop } from '../testing/mock-main-loop.js';
import { newestSnapshot, newestWholeSnapshot, saveSnapshot } from './snapshot-folder.js';
import { loadFromSnapshot } from './snapshot-members.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-snapshots-'));
});
afterAll(() => rm(folder, { recursive: true }));

const member = (value: string): ReadonlyMap<string, { readonly value: string }> => new Map([['which', { value }]]);

test.each([
  ['before the new one has the name', 1, 'first'],
  ['before the old one is removed', 2, 'second'],
])(
  'of a snapshot that replaces another one, and is killed %s, one of the two is there, whole',
  async (_, changes, which) => {
    const parent = path.join(folder, which);
    await saveSnapshot(new MockMainLoop(), parent, { members: member('first') });
    replacedUntilKilled(parent, changes);
    const { whole = '', damaged } = await newestWholeSnapshot(parent);
    expect(damaged).toEqual([]);
    expect(await newestSnapshot(parent)).toBe(whole);
    expect(await loadFromSnapshot(whole, 'which')).toMatchObject({ value: which });

    const { folder: next } = await saveSnapshot(new MockMainLoop(), parent, { members: member('third') });
    expect(await readdir(parent)).toEqual([path.basename(next)]);
    expect(await loadFromSnapshot(next, 'which')).toMatchObject({ value: 'third' });
  },
);

/** Has a process replace a snapshot that dies when it has made so many changes to the names in the folder. */
function replacedUntilKilled(parent: string, changes: number): void {
  const script = `
    import fs from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    import path from 'node:path';
    let left = ${changes};
    for (const name of ['rename', 'rm']) {
      const change = fs[name];
      fs[name] = async (...args) => {
        const isHere = args.some((arg) => typeof arg === 'string' && path.dirname(arg) === ${JSON.stringify(parent)});
        if (isHere && left-- === 0) process.kill(process.pid, 'SIGKILL');
        return await change(...args);
      };
    }
    syncBuiltinESMExports();
    const { saveSnapshot } = await import(${JSON.stringify(compiled('snapshot/snapshot-folder.js'))});
    const { MockMainLoop } = await import(${JSON.stringify(compiled('testing/mock-main-loop.js'))});
    await saveSnapshot(new MockMainLoop(), ${JSON.stringify(parent)}, { members: new Map([['which', { value: 'second' }]]) });`;
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
}

function compiled(name: string): string {
  return fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));
}
