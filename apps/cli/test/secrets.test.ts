import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { expect, onTestFinished, test } from 'vitest';

import { Terminal } from '../src/output/terminal.js';
import { run } from '../src/program.js';

test('a secret is read from stdin, kept for its user alone, listed by its name, and removed', async () => {
  const { state, longrun } = await onNewState();
  expect(await longrun(['secret', 'ls'])).toMatchObject({ code: 0, stdout: '' });
  const set = await longrun(['secret', 'set', 'HF_TOKEN'], 'hf_abcdefghij\n');
  const file = join(state, 'secrets', 'HF_TOKEN');
  expect(set).toMatchObject({ code: 0, stdout: expect.stringContaining(`HF_TOKEN is kept in ${file};`) as string });
  expect(await readFile(file, 'utf8')).toBe('hf_abcdefghij');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(state, 'secrets'))).mode & 0o777).toBe(0o700);
  expect(await longrun(['secret', 'ls', '--json'])).toMatchObject({ stdout: '["HF_TOKEN"]\n' });
  expect(await longrun(['secret', 'rm', 'HF_TOKEN'])).toMatchObject({ code: 0, stdout: 'HF_TOKEN is removed\n' });
  expect(await longrun(['secret', 'rm', 'HF_TOKEN'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no secret HF_TOKEN, but none') as string,
  });
});

test.each([
  { words: ['NODE_OPTIONS'], input: 'value', says: 'cannot be called so' },
  { words: ['../token'], input: 'value', says: 'cannot be called so' },
  { words: ['EMPTY'], input: '\n', says: 'can be no secret: it is empty; nothing has changed' },
  { words: ['BINARY'], input: Buffer.of(0x68, 0xff), says: 'it is no text in UTF-8; nothing has changed' },
  { words: ['LARGE'], input: 'x'.repeat(2 ** 16 + 1), says: 'it has 65537 bytes, and a secret has at most 65536' },
])('a secret $words is refused: $says', async ({ words, input, says }) => {
  const { longrun } = await onNewState();
  const refused = await longrun(['secret', 'set', ...words], input);
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(says) as string });
  expect(await longrun(['secret', 'ls'])).toMatchObject({ stdout: '' });
});

/** Runs commands on a state folder of a test's own. */
async function onNewState() {
  const state = await mkdtemp(join(tmpdir(), 'longrun-secrets-'));
  onTestFinished(() => rm(state, { recursive: true }));
  const longrun = async (words: readonly string[], input: string | Uint8Array = '') => {
    let [stdout, stderr] = ['', ''];
    const terminal = new Terminal({
      writeResult: (text) => (stdout += text),
      writeRemark: (text) => (stderr += text),
    });
    const surroundings = { terminal, environment: {}, input: Readable.from([input]) };
    const code = await run(['--state', state, ...words], surroundings);
    return { code, stdout, stderr };
  };
  return { state, longrun };
}
