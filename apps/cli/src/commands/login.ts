import { text as wholeText } from 'node:stream/consumers';

import { Client } from '@longrun/client';
import { assertNever } from '@longrun/contracts';
import { TOKEN_PATTERN } from '@longrun/platform/configuration';

import { type Address, type AddressOptions, addressOf, findAddress, NotRunning, plainAddress } from '../address.js';
import { hiddenLine } from '../hidden-line.js';
import { changeHosts, type Host, hostsFile, isSameServer } from '../hosts-file.js';
import type { Terminal } from '../output/terminal.js';
import type { Surroundings } from '../surroundings.js';

/** No token was given that could be one; nothing has changed. */
export class UnusableToken extends Error {
  override readonly name = 'UnusableToken';
}

/**
 * Asks for the token of a server, has the server verify it, and keeps it for the commands that come: they talk to this server from here on, where
 * nothing that counts for more names another. The token is neither shown nor taken from the command line, which others can read.
 *
 * @throws UnusableToken, what the server refuses, HostsFileError
 */
export async function login(
  { terminal, environment, input }: Surroundings,
  server: string,
  { withToken, address }: { readonly withToken: boolean; readonly address: AddressOptions },
): Promise<void> {
  const url = plainAddress(server, 'the address');
  if (isReadOnTheWay(url)) terminal.say(`longrun: ${url} is not encrypted: whoever is on the way can read the token`);
  const token = await askForToken(terminal, url, { withToken, input });
  await new Client({ url, token }).experiments.list({ limit: 1 });
  const file = await changeHosts(environment, (hosts) => [
    { url, token },
    ...hosts.filter((host) => !isSameServer(host.url, url)),
  ]);
  terminal.print(`logged in to ${url}; the token is kept in ${file}`);
  const used = await findAddress({ ...address, server: undefined }).catch(() => undefined);
  if (used !== undefined && isSameServer(used.url, url)) return;
  const other = used === undefined ? `the stack of ${address.state}` : `${used.url}, ${reasonOf(used, address)}`;
  terminal.say(`longrun: commands here talk to ${other}; for this server give them --server ${url}`);
}

/** Forgets the token of a server; undefined: of the one that was logged in to last. @throws NotRunning where there is none */
export async function logout({ terminal, environment }: Surroundings, server: string | undefined): Promise<void> {
  let gone: Host | undefined;
  let rest: readonly Host[] = [];
  await changeHosts(environment, (hosts) => {
    gone = server === undefined ? hosts[0] : hosts.find((host) => isSameServer(host.url, server));
    if (gone === undefined) {
      const which = hosts.length === 0 ? 'to no server' : `only to ${hosts.map(({ url }) => url).join(', ')}`;
      throw new NotRunning(`you are not logged in${server === undefined ? '' : ` to ${server}`}, but ${which}`);
    }
    rest = hosts.filter((host) => host !== gone);
    return rest;
  });
  terminal.print(`logged out of ${gone?.url}; the token itself still serves, until its API gets another`);
  if (rest[0] !== undefined) terminal.say(`longrun: the last login is now that to ${rest[0].url}`);
}

/**
 * Says which API commands talk to and why, and has it asked with the token.
 *
 * @throws NotRunning where there is none, what the API refuses
 */
export async function serverStatus(
  terminal: Terminal,
  options: AddressOptions,
  { json }: { readonly json: boolean },
): Promise<void> {
  const address = await addressOf(options);
  const { url, urlFrom, tokenFrom } = address;
  if (json) terminal.printJson({ url, urlFrom, tokenFrom });
  else terminal.print(`${url}, ${reasonOf(address, options)}; token: ${tokenText(address, options)}`);
  await new Client(address).experiments.list({ limit: 1 });
  if (!json) terminal.print('It answers, and takes the token.');
}

function reasonOf({ urlFrom }: Address, { state }: AddressOptions): string {
  switch (urlFrom) {
    case '--server':
    case 'LONGRUN_URL':
      return `as ${urlFrom} says`;
    case 'state':
      return `which runs on ${state}`;
    case 'login':
      return 'the last login';
    default:
      return assertNever(urlFrom, 'origin');
  }
}

function tokenText({ tokenFrom }: Address, { state, environment }: AddressOptions): string {
  switch (tokenFrom) {
    case 'LONGRUN_TOKEN':
      return 'LONGRUN_TOKEN';
    case 'state':
      return `${state}/token`;
    case 'login':
      return hostsFile(environment) ?? 'the login';
    default:
      return assertNever(tokenFrom, 'origin');
  }
}

async function askForToken(
  terminal: Terminal,
  url: string,
  { withToken, input }: { readonly withToken: boolean; readonly input: Surroundings['input'] },
): Promise<string> {
  if (!withToken && input.isTTY !== true) {
    throw new UnusableToken(
      `there is no terminal to ask at; give the token on stdin: longrun login ${url} --with-token < FILE`,
    );
  }
  if (!withToken) terminal.say(`The token of ${url} (it is not shown; \`longrun up\` says in which file it lies):`);
  const token = (withToken ? await wholeText(input) : ((await hiddenLine(input)) ?? '')).trim();
  if (token === '') throw new UnusableToken('no token was given; nothing has changed');
  if (TOKEN_PATTERN.test(token)) return token;
  throw new UnusableToken(
    'what was given is no token: one is 16 to 512 of the characters A-Z a-z 0-9 . _ ~ + / - ; nothing has changed',
  );
}

/** Whether others on the network can read along. */
function isReadOnTheWay(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
