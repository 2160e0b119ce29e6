import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { Client } from '@longrun/client';
import { type Environment, readVariables, TOKEN_PATTERN, variables } from '@longrun/platform/configuration';

import { type Host, isSameServer, readHosts } from './hosts-file.js';
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
  /** Its address, as the command line says. Default: what the environment, the state folder or the last login says. */
  readonly server?: string | undefined;
  /** The state folder of `longrun up`. */
  readonly state: string;
  /** The state folder was not asked for by name: where no stack has been on it, the last login counts. Default false. */
  readonly mayUseLogin?: boolean;
  readonly environment: Environment;
}

/** The API that a command talks to, and what says so. */
export interface Address {
  readonly url: string;
  readonly token: string;
  readonly urlFrom: '--server' | 'LONGRUN_URL' | 'state' | 'login';
  readonly tokenFrom: 'LONGRUN_TOKEN' | 'state' | 'login';
}

/** A client of the API that {@link findAddress} finds. Throws NotRunning where there is none, and what that throws. */
export async function connect(options: AddressOptions): Promise<Client> {
  return new Client(await addressOf(options));
}

/** As {@link connect}; undefined when nothing names an API. */
export async function connectIfRunning(options: AddressOptions): Promise<Client | undefined> {
  const address = await findAddress(options);
  return address && new Client(address);
}

/** As {@link findAddress}. Throws NotRunning when nothing names an API. */
export async function addressOf(options: AddressOptions): Promise<Address> {
  const address = await findAddress(options);
  if (address !== undefined) return address;
  throw new NotRunning(
    `no Longrun API runs on ${resolve(options.state)}; start one with \`longrun up\`, log in to one with \`longrun login URL\`, or name it by --server, --state or LONGRUN_URL`,
  );
}

/**
 * The API that `--server` names, or else LONGRUN_URL, the state folder (its `api.json`) or the last login, with the token of LONGRUN_TOKEN, of the
 * state folder or of the login to that server. LONGRUN_TOKEN is never for another server than LONGRUN_URL, where both are set. Where a stack was on
 * the state folder the last login does not count: what was meant for the one must not be done to the other.
 *
 * @throws NotRunning without a token; ConfigurationError, UnusableAddress or HostsFileError for what no request could be sent with
 */
export async function findAddress(options: AddressOptions): Promise<Address | undefined> {
  const state = resolve(options.state);
  const given = readVariables(addressVariables, options.environment);
  const local = parseApiFile(await textOf(join(state, 'api.json')))?.url;
  const server = await serverOf(options, { state, local, named: given.LONGRUN_URL });
  if (server === undefined) return undefined;
  const { url, urlFrom } = server;
  const isOfAnother =
    urlFrom === '--server' && given.LONGRUN_URL !== undefined && !isSameServer(given.LONGRUN_URL, url);
  if (given.LONGRUN_TOKEN !== undefined && !isOfAnother) {
    return { ...server, token: given.LONGRUN_TOKEN, tokenFrom: 'LONGRUN_TOKEN' };
  }
  if (local === undefined || !isSameServer(local, url)) {
    const host = await hostOf(options.environment, url);
    if (host !== undefined) return { ...server, token: host.token, tokenFrom: 'login' };
    if (urlFrom === '--server') {
      throw new NotRunning(`there is no token for ${url}: log in with \`longrun login ${url}\`, or set LONGRUN_TOKEN`);
    }
  }
  return { ...server, token: await tokenIn(state, url), tokenFrom: 'state' };
}

async function serverOf(
  { server, mayUseLogin = false, environment }: AddressOptions,
  found: { readonly state: string; readonly local: string | undefined; readonly named: string | undefined },
): Promise<Pick<Address, 'url' | 'urlFrom'> | undefined> {
  if (server !== undefined) return { url: plainAddress(server, '--server'), urlFrom: '--server' };
  if (found.named !== undefined) return { url: plainAddress(found.named, 'LONGRUN_URL'), urlFrom: 'LONGRUN_URL' };
  if (found.local !== undefined) return { url: found.local, urlFrom: 'state' };
  if (!mayUseLogin || (await textOf(join(found.state, 'token'))) !== '') return undefined;
  const [last] = await readHosts(environment);
  return last && { url: last.url, urlFrom: 'login' };
}

async function hostOf(environment: Environment, url: string): Promise<Host | undefined> {
  return (await readHosts(environment)).find((host) => isSameServer(host.url, url));
}

/**
 * The address of an API, which may lie below a path. Throws UnusableAddress for one with more in it, which may be a secret.
 *
 * @param place what names it
 */
export function plainAddress(url: string, place: string): string {
  const { username, password, search, hash } = new URL(url);
  if (username !== '' || password !== '') {
    const elsewhere = place === 'LONGRUN_URL' ? 'give the token in LONGRUN_TOKEN' : 'use `longrun login` for the token';
    throw new UnusableAddress(`${place}: holds a name or a password; take it out, and ${elsewhere}`);
  }
  if (search !== '' || hash !== '') {
    throw new UnusableAddress(`${place}: has a part after ? or #; give only the address, as http://127.0.0.1:4000`);
  }
  return url;
}

async function tokenIn(state: string, url: string): Promise<string> {
  const file = join(state, 'token');
  const token = (await textOf(file)).trim();
  if (token === '') {
    throw new NotRunning(
      `there is no token for ${url}: log in with \`longrun login ${url}\`, set LONGRUN_TOKEN, or give the state folder that holds it with --state`,
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
