import type { Client } from '@longrun/client';
import type { Command } from 'commander';

import { jsonOption } from '../arguments.js';
import type { Terminal } from '../output/terminal.js';
import { listPrograms, publishProgram } from './programs.js';

/** Programs that experiments are of. */
export function programCommands(program: Command, terminal: Terminal, client: () => Promise<Client>): void {
  const programs = program.command('programs').description('list programs, or publish one');
  programs
    .command('ls', { isDefault: true })
    .description('list the newest program of each name, last published first')
    .addOption(jsonOption())
    .action(async (options: { json: boolean }) => listPrograms(await client(), terminal, options));
  programs
    .command('publish')
    .description('make one module of a program and publish it, as the newest of its name')
    .argument('<file>', 'its file (.ts, .js), or a folder with an index.ts')
    .option('--name <name>', 'what it is published as (default: as its file)')
    .addOption(jsonOption())
    .action(async (file: string, options: { json: boolean; name?: string }) =>
      publishProgram(client, terminal, file, { ...options, name: options.name }),
    );
}
