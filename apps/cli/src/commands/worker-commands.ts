import type { Client } from '@longrun/client';
import type { Command } from 'commander';

import { jsonOption, reference } from '../arguments.js';
import type { Terminal } from '../output/terminal.js';
import { drainWorker, listWorkers, releaseWorker } from './workers.js';

/** Workers, and what is done with them. */
export function workerCommands(program: Command, terminal: Terminal, client: () => Promise<Client>): void {
  const workers = program.command('workers').description('list workers; drain or release one');
  workers
    .command('ls', { isDefault: true })
    .description('list workers, the last one seen first')
    .addOption(jsonOption())
    .action(async (options: { json: boolean }) => listWorkers(await client(), terminal, options));
  workers
    .command('drain')
    .description('have a worker finish what it runs and take no further job')
    .argument('<id>', 'id of the worker', reference)
    .option('--reason <text>', 'for people: shown beside its status')
    .addOption(jsonOption())
    .action(async (id: string, options: { json: boolean; reason?: string }) =>
      drainWorker(await client(), terminal, id, { ...options, reason: options.reason }),
    );
  workers
    .command('release')
    .description('let a worker take jobs again')
    .argument('<id>', 'id of the worker', reference)
    .addOption(jsonOption())
    .action(async (id: string, options: { json: boolean }) => releaseWorker(await client(), terminal, id, options));
}
