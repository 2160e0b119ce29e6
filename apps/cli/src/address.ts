import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { type Environment, readVariables, variables } from '@longrun/platform/configuration';

import { Client } from './client.js';
import { parseApiFile } from './stack/stack.js';

/** There is no API to talk to. */
export class NotRunning extends Error {
  override readonly name = 'NotRunning';
}

/** Where a command looks for the API. */
export interface AddressOptions {
  /** The state folder of `longrun up`. */
  readonly state: string;
  readonly environment: Environment;
}

/**
 * A client of the API that LONGRUN_URL and LONGRUN_TOKEN name, or else of the one that runs on the state folder (its
 * `api.json` and `token`). Throws NotRunning when neither is there.
 */
export async function connect(options: AddressOptions): Promise<Client> {
  const state = resolve(options.state);
  const { LONGRUN_URL, LONGRUN_TOKEN } = readVariables(addressVariables, options.environment);
  const url = LONGRUN_URL ?? parseApiFile(await readFile(join(state, 'api.json'), 'utf8').catch(() => ''))?.url;
  if (url === undefined) {
    throw new NotRunning(
      `no Longrun API runs on ${state}; start one with \`longrun up\`, or name another by --state or by LONGRUN_URL and LONGRUN_TOKEN`,
    );
  }
  const token = LONGRUN_TOKEN ?? (await readFile(join(state, 'token'), 'utf8').catch(() => '')).trim();
  if (token === '') {
    throw new NotRunning(
      `there is no token for ${url}: set LONGRUN_TOKEN, or give the state folder that holds it with --state`,
    );
  }
  return new Client({ url, token });
}

const addressVariables = { LONGRUN_URL: variables.LONGRUN_URL, LONGRUN_TOKEN: variables.LONGRUN_TOKEN } as const;
