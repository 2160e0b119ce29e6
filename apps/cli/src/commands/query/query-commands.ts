import type { Client } from '@longrun/client';
import type { Command } from 'commander';

import { jsonOption } from '../../arguments.js';
import type { Terminal } from '../../output/terminal.js';
import { type ExperimentFilters, filterQuery, withFilters } from '../experiment-filters.js';

/** Questions in SQL. */
export function queryCommands(program: Command, terminal: Terminal, client: () => Promise<Client>): void {
  withFilters(
    program
      .command('query')
      .description(
        'answer a question in SQL (of SQLite) on a copy of the experiments that fit: `runs` and `metrics` have the columns that `export` writes',
      )
      .requiredOption(
        '--sql <statement>',
        'as: select program, min("metrics.valid_cost.min") from runs group by program',
      ),
  )
    .addOption(jsonOption())
    .action(async ({ sql, json, ...filters }: ExperimentFilters & { sql: string; json: boolean }) => {
      // It loads SQLite, which no other command needs.
      const { queryRecord } = await import('./query.js');
      await queryRecord(await client(), terminal, { sql, json, query: filterQuery(filters) });
    });
}
