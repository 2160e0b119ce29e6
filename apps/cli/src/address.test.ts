import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ConfigurationError } from '@longrun/platform/configuration';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { connect, findAddress, NotRunning } from './address.js';
import { writeHosts } from './hosts-file.js';

const TOKEN = 'a-token-of-sixteen-or-more';
let state: string;
beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'longrun-address-'));
  await writeFile(join(state, 'api.json'), JSON.stringify({ url: 'http://127.0.0.1:4001', pid: 1 }));
  await writeFile(join(state, 'token'), `${TOKEN}\n`);
});
afterAll(() => rm(state, { recursive: true }));

test('the variables win over the state folder, and empty ones count as absent', async () => {
  expect((await connect({ state, environment: {} })).url).toBe('http://127.0.0.1:4001');
  expect((await connect({ state, environment: { LONGRUN_URL: ' ', LONGRUN_TOKEN: '' } })).url).toBe(
    'http://127.0.0.1:4001',
  );
  expect((await connect({ state, environment: { LONGRUN_URL: 'http://gpu:80' } })).url).toBe('http://gpu:80');
  const elsewhere = join(state, 'nothing');
  await expect(connect({ state: elsewhere, environment: {} })).rejects.toThrow(NotRunning);
  await expect(connect({ state: elsewhere, environment: { LONGRUN_URL: 'http://gpu:80' } })).rejects.toThrow(
    NotRunning,
  );
});

test('what the API would refuse as its token or address is refused here, in the same words', async () => {
  const environment = { LONGRUN_URL: 'gpu:4000', LONGRUN_TOKEN: 'hunter2' };
  await expect(connect({ state, environment })).rejects.toThrow(
    new ConfigurationError(
      'LONGRUN_URL: is not a URL that starts with http:// or https://; give one such as http://127.0.0.1:4000\n' +
        'LONGRUN_TOKEN: the token must be 16 to 512 of the characters A-Z a-z 0-9 . _ ~ + / - ; make one with: openssl rand -hex 32',
    ),
  );
});

test('where a stack was on the state folder the last login does not count', async () => {
  const environment = { XDG_CONFIG_HOME: join(state, 'config') };
  await writeHosts(environment, [{ url: 'http://gpu', token: TOKEN }]);
  const used = async (folder: string) => (await findAddress({ state: folder, mayUseLogin: true, environment }))?.url;
  const elsewhere = join(state, 'stopped');
  expect(await used(elsewhere)).toBe('http://gpu');
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, 'token'), TOKEN);
  expect(await used(elsewhere)).toBeUndefined();
  expect(await used(state)).toBe('http://127.0.0.1:4001');
});
