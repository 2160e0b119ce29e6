import type { Command } from 'commander';

import type { AddressOptions } from '../address.js';
import { jsonOption, serverUrl } from '../arguments.js';
import type { Surroundings } from '../surroundings.js';
import { login, logout, serverStatus } from './login.js';

/** Which API commands talk to. */
export function loginCommands(program: Command, surroundings: Surroundings, address: () => AddressOptions): void {
  program
    .command('login')
    .description('keep the token of a server, which is asked for, and talk to that server from here on')
    .argument('<url>', 'as https://longrun.example.org', serverUrl)
    .option('--with-token', 'read the token from stdin', false)
    .action(async (url: string, { withToken }: { withToken: boolean }) =>
      login(surroundings, url, { withToken, address: address() }),
    );
  program
    .command('logout')
    .description('forget the token of a server')
    .argument('[url]', 'default: the one that was logged in to last', serverUrl)
    .action(async (url: string | undefined) => logout(surroundings, url));
  program
    .command('status')
    .description('say which server commands talk to and why, and whether it takes the token')
    .addOption(jsonOption())
    .action(async (options: { json: boolean }) => serverStatus(surroundings.terminal, address(), options));
}
