import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../testing/until.js';
import type { Beat } from '../worker/child-signs.js';
import { SupervisedChild } from '../worker/supervised-child.js';

const library = new URL('../../dist/child/index.js', import.meta.url).href;

/** Bounds a hang and judges nothing. */
const LONG_ENOUGH_MS = 120_000;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-link-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('SIGUSR1 opens no inspector in a child, by which others of its user would have it evaluate code', async () => {
  const script = join(folder, 'child.mjs');
  await writeFile(
    script,
    `import { url } from 'node:inspector';
     import { setTimeout as sleep } from 'node:timers/promises';
     import { ParentLink } from ${JSON.stringify(library)};
     const parent = new ParentLink(() => {});
     for (let i = 0; i < 20 && url() === undefined; i += 1) {
       process.kill(process.pid, 'SIGUSR1');
       await sleep(10);
     }
     await parent.leave({ url: url() ?? null }, 0);`,
  );
  const messages: unknown[] = [];
  const child = new SupervisedChild({ script, onMessage: (message) => messages.push(message), onLine: () => {} });
  await child.exited;
  expect(messages).toEqual([{ url: null }]);
});

test('a child that did not answer where it stands goes on, and its watchdog with it', async () => {
  const script = join(folder, 'child.mjs');
  const gate = join(folder, 'gate');
  const wait = `until [ -e '${gate}' ]; do sleep 0.1; done`;
  await writeFile(
    script,
    `import { spawnSync } from 'node:child_process';
     import { ParentLink } from ${JSON.stringify(library)};
     const parent = new ParentLink(() => void parent.leave({ said: 'its last word' }, 0));
     parent.send({ said: 'it makes a call' });
     await parent.settled();
     spawnSync('sh', ['-c', ${JSON.stringify(wait)}]);
     parent.send({ said: 'it is back' });`,
  );
  const messages: unknown[] = [];
  const beats: Beat[] = [];
  const child = new SupervisedChild({
    script,
    onMessage: (message) => messages.push(message),
    onLine: (_stream, text) => messages.push(text),
    onBeat: (beat) => beats.push(beat),
  });
  await until(() => messages.length === 1);
  expect(await child.whereabouts(LONG_ENOUGH_MS)).toMatchObject({ found: 'no_answer' });
  const before = beats.length;
  await until(() => beats.length > before + 2);

  await writeFile(gate, '');
  await until(() => messages.length === 2);
  // It has said so before its module has come to its end.
  await until(async () => (await child.whereabouts(LONG_ENOUGH_MS))?.found === 'idle');
  child.send({});
  expect(await child.exited).toMatchObject({ code: 0 });
  expect(messages).toEqual(['it makes a call', 'it is back', 'its last word'].map((said) => ({ said })));
});
