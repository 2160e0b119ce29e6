import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Secrets, SecretUnavailable } from './secrets.js';

test('secrets are the texts of their files, also behind links and without the break that ends them', async () => {
  const { folder, secrets } = await someSecrets();
  await writeFile(join(folder, 'data'), 'first\r\nsecond\r\n');
  await symlink('data', join(folder, 'TOKEN'));
  expect(await secrets.read(['TOKEN'])).toEqual({ TOKEN: 'first\r\nsecond' });
});

test('what is no text of a variable is said, and never waited for', async () => {
  const { folder, secrets } = await someSecrets();
  await mkdir(join(folder, 'FOLDER'));
  spawnSync('mkfifo', [join(folder, 'PIPE')]);
  await symlink('/dev/zero', join(folder, 'ZERO'));
  await writeFile(join(folder, 'BINARY'), Buffer.of(0x68, 0xff));
  await writeFile(join(folder, 'LARGE'), 'x'.repeat(2 ** 16 + 1));
  await writeFile(join(folder, 'EMPTY'), '\n');
  for (const [name, why] of [
    ['FOLDER', 'cannot be read (it is no file)'],
    ['PIPE', 'cannot be read (it is no file)'],
    ['ZERO', 'cannot be read (it is no file)'],
    ['BINARY', 'holds no secret: it is no text in UTF-8.'],
    ['LARGE', 'holds no secret: it has 65537 bytes, and a secret has at most 65536.'],
    ['EMPTY', 'holds no secret: it is empty.'],
  ] as const) {
    const reading = secrets.read([name]);
    await expect(reading).rejects.toThrow(SecretUnavailable);
    await expect(reading).rejects.toThrow(why);
  }
});

async function someSecrets() {
  const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return { folder, secrets: new Secrets(folder) };
}
