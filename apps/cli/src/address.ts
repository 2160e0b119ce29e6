import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { Client } from '@longrun/client';
import { type Environment, readVariables, TOKEN_PATTERN, variables } from '@longrun/platform/configuration';

import { parseApiFile } from './stack/api-file.js';

/** There is no API to talk to. */
export class NotRunning extends Error {
  override readonly name = 'NotRunning';
}

/** What an address or a token was read from holds something that cannot be one. */
export class UnusableAddress extends Error {
  override readonly name = 'UnusableAddress';
}

/** Where a command looks for the API. */
export interface AddressOptions {
  /** The state folder of `longrun up`. */
  readonly state: string;
  readonly environment: Environment;
}

/**
 * A client of the API that LONGRUN_URL and LONGRUN_TOKEN name, or else of the one that runs on the state folder (its
 * `api.json` and `token`). Throws NotRunning when neither is there, ConfigurationError or UnusableAddress for what no
 * request could be sent with.
 */
export async function connect(options: AddressOptions): Promise<Client> {
  const client = await connectIfRunning(options);
  if (client !== undefined) return client;
  throw new NotRunning(
    `no Longrun API runs on ${resolve(options.state)}; start one with \`longrun up\`, or name another by --state or by LONGRUN_URL and LONGRUN_TOKEN`,
  );
}

/** As {@link connect}; undefined when nothing names an API. */
export async function connectIfRunning(options: AddressOptions): Promise<Client | undefined> {
  const state = resolve(options.state);
  const { LONGRUN_URL, LONGRUN_TOKEN } = readVariables(addressVariables, options.environment);
  const url = LONGRUN_URL ?? parseApiFile(await textOf(join(state, 'api.json')))?.url;
  if (url === undefined) return undefined;
  return new Client({ url: plainAddress(url), token: LONGRUN_TOKEN ?? (await tokenIn(state, url)) });
}

/** The address of an API, which may lie below a path. Throws UnusableAddress for one with more in it, which may be a secret. */
function plainAddress(url: string): string {
  const { username, password, search, hash } = new URL(url);
  if (username !== '' || password !== '') {
    throw new UnusableAddress(
      'LONGRUN_URL: holds a name or a password; take it out, and give the token in LONGRUN_TOKEN',
    );
  }
  if (search !== '' || hash !== '') {
    throw new UnusableAddress('LONGRUN_URL: has a part after ? or #; give only the address, as http://127.0.0.1:4000');
  }
  return url;
}

async function tokenIn(state: string, url: string): Promise<string> {
  const file = join(state, 'token');
  const token = (await textOf(file)).trim();
  if (token === '') {
    throw new NotRunning(
      `there is no token for ${url}: set LONGRUN_TOKEN, or give the state folder that holds it with --state`,
    );
  }
  if (TOKEN_PATTERN.test(token)) return token;
  throw new UnusableAddress(
    `${file} holds no token: one is 16 to 512 of the characters A-Z a-z 0-9 . _ ~ + / - ; set LONGRUN_TOKEN, or write the API's into it`,
  );
}

/** What a file says; nothing where there is none. Throws UnusableAddress for one that cannot be read. */
async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return '';
    throw new UnusableAddress(
      `${file} cannot be read (${error instanceof Error ? error.message : String(error)}); mend that, or give LONGRUN_URL and LONGRUN_TOKEN`,
      { cause: error },
    );
  }
}

const addressVariables = { LONGRUN_URL: variables.LONGRUN_URL, LONGRUN_TOKEN: variables.LONGRUN_TOKEN } as const;
