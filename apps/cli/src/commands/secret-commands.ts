import type { Command } from 'commander';

import { jsonOption, secretName } from '../arguments.js';
import type { Surroundings } from '../surroundings.js';
import { listSecrets, removeSecret, setSecret } from './secrets.js';

/** What programs find in their environment and nobody else sees: on this machine, for the workers of a state folder. */
export function secretCommands(program: Command, surroundings: Surroundings, state: () => string): void {
  const secret = program
    .command('secret')
    .description('keep what programs need and nobody is to see, for the workers of the local stack');
  secret
    .command('set')
    .description('keep a secret, which is asked for or, where there is no terminal, read from stdin')
    .argument('<name>', 'as experiments name it in `secrets`, and programs find it in their environment', secretName)
    .action(async (name: string) => setSecret(surroundings, state(), name));
  secret
    .command('ls')
    .description('list the names of secrets')
    .addOption(jsonOption())
    .action(async (options: { json: boolean }) => listSecrets(surroundings, state(), options));
  secret
    .command('rm')
    .description('remove a secret')
    .argument('<name>', undefined, secretName)
    .action(async (name: string) => removeSecret(surroundings, state(), name));
}
