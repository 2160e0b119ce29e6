import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SupervisedChild } from '../worker/supervised-child.js';

const library = new URL('../../dist/child/index.js', import.meta.url).href;

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
