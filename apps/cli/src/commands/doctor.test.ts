import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';

import { freePort } from '@longrun/platform/configuration';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { Terminal } from '../output/terminal.js';
import { run } from '../program.js';

// A busy machine takes long to start processes.
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-doctor-'));
});

afterEach(() => rm(folder, { recursive: true }));

interface Told {
  readonly code: number;
  readonly printed: string;
}

async function told(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Told> {
  let printed = '';
  const print = (text: string): void => void (printed += text);
  const terminal = new Terminal({ writeResult: print, writeRemark: print });
  const code = await run(['--state', join(folder, 'state'), 'doctor', ...words], {
    terminal,
    environment,
    input: Readable.from([]),
  });
  return { code, printed };
}

function statuses({ printed }: Told): Record<string, string> {
  const answer: { ok: boolean; checks: { name: string; status: string }[] } = JSON.parse(printed);
  return { ok: String(answer.ok), ...Object.fromEntries(answer.checks.map(({ name, status }) => [name, status])) };
}

test('where all is well each check says what it found, and nothing is made', async () => {
  const found = await told(['--json']);
  expect(found.code).toBe(0);
  expect(statuses(found)).toMatchObject({
    ok: 'true',
    node: 'ok',
    build: 'ok',
    'redis-server': 'ok',
    engine: 'ok',
    'state folder': 'ok',
    redis: 'ok',
    objects: 'ok',
  });
  expect(await readdir(folder)).toEqual([]);
});

test('what does not serve fails by name, and no secret is repeated', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  const environment = {
    REDIS_URL: `redis://:hunter2@127.0.0.1:${await freePort()}`,
    LONGRUN_OBJECTS: pathToFileURL(file).href,
  };
  const found = await told(['--json'], environment);
  expect(found.code).toBe(1);
  expect(statuses(found)).toMatchObject({ ok: 'false', node: 'ok', redis: 'failed', objects: 'failed' });
  expect(found.printed).toContain('Redis cannot be reached within');
  expect(found.printed).not.toContain('hunter2');
});

test('a state folder that others see into, and programs that are trusted, are noted for people', async () => {
  await mkdir(join(folder, 'state'), { mode: 0o755 });
  const found = await told([], { LONGRUN_TRAINER_USER: 'worker' });
  expect(found.code).toBe(0);
  expect(found.printed).toMatch(/^! state folder .*mode 0755.*chmod go-rw/m);
  expect(found.printed).toMatch(/^! separation .*programs are trusted as it is, as LONGRUN_TRAINER_USER says$/m);
  expect(found.printed).toMatch(/^✓ node /m);
});
