import type { Client } from '@longrun/client';
import { type Command, Option } from 'commander';

import {
  eachOf,
  experimentReference,
  fileName,
  folder,
  idArgument,
  jsonOption,
  listed,
  reference,
  WHICH,
  wholeNumber,
} from '../arguments.js';
import type { Terminal } from '../output/terminal.js';
import type { DownloadOptions } from './download/download.js';
import { type ExperimentFilters, filterQuery, withFilters } from './experiment-filters.js';
import { EXPORT_FORMATS, type ExportFormat } from './export/export-format.js';
import { logs } from './logs.js';
import { DEFAULT_COLUMNS, list, type ListOptions } from './ls.js';
import { show } from './show.js';
import { wait } from './wait.js';

/** What there is, and how it goes. */
export function readingCommands(
  program: Command,
  terminal: Terminal,
  client: () => Promise<Client>,
  exit: (code: number) => void,
): void {
  withFilters(program.command('ls').description('list experiments, newest first'))
    .option('--datasets', 'list datasets instead', false)
    .option('-n, --limit <number>', 'the first so many (default: all)', wholeNumber({ least: 1, most: 1_000_000 }))
    .option('--sort <key>', 'created, ended, name, status or metric.NAME; - before it: descending (default: -created)')
    .option(
      '--columns <names>',
      `columns, or names of metrics; commas between (default: ${DEFAULT_COLUMNS.join()})`,
      listed,
    )
    .addOption(jsonOption())
    .action(async (options: Omit<ListOptions, 'columns'> & { columns?: string[] }) => {
      await list(await client(), terminal, { ...options, columns: options.columns ?? DEFAULT_COLUMNS });
    });

  program
    .command('show')
    .description('show one experiment or dataset: its status, attempts, progress, result and spec')
    .addArgument(idArgument())
    .addOption(jsonOption())
    .action(async (id: string, options: { json: boolean }) => show(await client(), terminal, id, options));

  program
    .command('metrics')
    .description('show what an experiment has logged as numbers: last and best values, or the points of one metric')
    .addArgument(idArgument())
    .argument('[name]', 'name of a metric', reference)
    .option('--max-points <number>', 'points at most (default: 1000)', wholeNumber({ least: 10, most: 100_000 }))
    .addOption(jsonOption())
    .action(async (id: string, name: string | undefined, options: { json: boolean; maxPoints?: number }) => {
      const { metrics } = await import('./metrics.js');
      await metrics(await client(), terminal, { id, name, ...options });
    });

  program
    .command('logs')
    .description('print what an experiment has logged, or how far a dataset is')
    .addArgument(idArgument())
    .option('-f, --follow', 'stay until it has ended', false)
    .addOption(jsonOption())
    .action(async (id: string, options: { follow: boolean; json: boolean }) =>
      exit(await logs(await client(), terminal, id, options)),
    );

  program
    .command('wait')
    .description(
      'wait until experiments or datasets have ended, and end with the exit code of the first that has not ended well',
    )
    .addArgument(idArgument('<ids...>', 'ids, beginnings of ids, or names').argParser(eachOf(experimentReference)))
    .option(
      '--timeout <seconds>',
      'for so long at most (default: without end)',
      wholeNumber({ least: 1, most: 4_000_000 }),
    )
    .addOption(jsonOption())
    .action(async (ids: string[], options: { timeout?: number; json: boolean }) =>
      exit(await wait(await client(), terminal, ids, options)),
    );
}

/** What is taken along, as files. */
export function takingCommands(program: Command, terminal: Terminal, client: () => Promise<Client>): void {
  program
    .command('download')
    .description(
      'fetch the parameters of an experiment (safetensors), a file that its program has written, or the file of a dataset (HDF5), verified; broken off, ' +
        'it goes on when run again',
    )
    .addArgument(idArgument())
    .addOption(
      new Option('--checkpoint <checkpoint>', `of an experiment: ${WHICH} (default: latest)`).argParser(reference),
    )
    .option('--output <name>', 'of an experiment: a file that its program has written')
    .option(
      '-o, --to <file>',
      'where to (default: <id>-<checkpoint>.safetensors, the name of the output, or <name>.hdf5)',
      fileName,
    )
    .addOption(jsonOption())
    .action(async (id: string, options: DownloadOptions) => {
      const { download } = await import('./download/download.js');
      await download(await client(), terminal, id, options);
    });

  withFilters(
    program
      .command('export')
      .description(
        'write experiments (runs) and all that they have logged as numbers (metrics) as tables to a folder, where each file appears whole in the place of the one of before',
      )
      .option('-o, --to <folder>', 'where to', folder, 'longrun-export')
      .addOption(new Option('--format <format>', 'of the files').choices(EXPORT_FORMATS).default('csv')),
  )
    .addOption(jsonOption())
    .action(async ({ to, format, json: isJson, ...filters }: ExportFlags) => {
      const { exportRecord } = await import('./export/export.js');
      await exportRecord(await client(), terminal, { folder: to, format, json: isJson, query: filterQuery(filters) });
    });
}

/** The options of `export`, as commander gives them. */
interface ExportFlags extends ExperimentFilters {
  readonly to: string;
  readonly format: ExportFormat;
  readonly json: boolean;
}
