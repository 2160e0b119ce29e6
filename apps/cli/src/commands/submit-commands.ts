import type { Client } from '@longrun/client';
import { type Command, Option } from 'commander';

import { appended, idArgument, idempotencyOption, jsonOption, reference, ReferenceArgument } from '../arguments.js';
import type { Terminal } from '../output/terminal.js';
import { compare } from './compare.js';
import { rebuild } from './rebuild.js';
import { reproduce } from './reproduce.js';
import { submit } from './submit.js';

/** New experiments and datasets, from files. */
export function submitCommands(
  program: Command,
  terminal: Terminal,
  client: () => Promise<Client>,
  exit: (code: number) => void,
): void {
  program
    .command('submit')
    .description(
      'submit an experiment or a dataset from a YAML or JSON file (`-`: stdin), or publish a program from its file (.ts, .js) or folder and submit ' +
        'an experiment of it',
    )
    .argument('<file>')
    .option('--dataset <name>', 'the dataset, or role=name for one of several; repeatable', appended, [])
    .option('-p, --param <name=value>', 'a parameter, as in learningRate=0.01; repeatable', appended, [])
    .option('--set <path=value>', 'put a value into the spec, as in params.batchSize=64; repeatable', appended, [])
    .option('--program-name <name>', 'what a program is published as (default: as its file)')
    .option('-f, --follow', 'stay until it has ended', false)
    .addOption(
      new Option(
        '--dry-run',
        'have the API check all that it would check, record nothing, and print the spec as it would be recorded',
      )
        .default(false)
        .conflicts(['follow', 'idempotencyKey']),
    )
    .addOption(idempotencyOption())
    .addOption(jsonOption())
    .action(async (file: string, { idempotencyKey: key, programName, ...options }: SubmitFlags) => {
      exit(await submit(client, terminal, file, { ...options, idempotencyKey: key, programName }));
    });
}

/** What is there once more, and whether it is the same. */
export function reproduceCommands(
  program: Command,
  terminal: Terminal,
  client: () => Promise<Client>,
  exit: (code: number) => void,
): void {
  program
    .command('rebuild')
    .description('convert a dataset that is ready anew, as a new one that takes its name, whatever its raw files are')
    .addArgument(new ReferenceArgument('<dataset>', 'id, beginning of an id, or name').argParser(reference))
    .option('-f, --follow', 'stay until it has ended', false)
    .addOption(idempotencyOption())
    .addOption(jsonOption())
    .action(
      async (
        text: string,
        { idempotencyKey: key, ...flags }: { idempotencyKey?: string; follow: boolean; json: boolean },
      ) => exit(await rebuild(await client(), terminal, text, { ...flags, idempotencyKey: key })),
    );

  program
    .command('reproduce')
    .description(
      'submit an experiment once more, the very same, wait until both have ended, and say whether they are identical: exit code 0 if so, 1 if not',
    )
    .addArgument(idArgument('<experiment>'))
    .option('--no-wait', 'submit it, and end')
    .addOption(idempotencyOption())
    .addOption(jsonOption())
    .action(
      async (
        text: string,
        { idempotencyKey: key, ...flags }: { idempotencyKey?: string; wait: boolean; json: boolean },
      ) => exit(await reproduce(await client(), terminal, text, { ...flags, idempotencyKey: key })),
    );

  program
    .command('compare')
    .description(
      'say whether two experiments have ended with the same parameters, log and outputs, bit for bit, or where they part: exit code 0 if so, 1 if not',
    )
    .addArgument(idArgument('<experiment>'))
    .addArgument(idArgument('[other]', 'the other one (default: the one that the first reproduces)'))
    .addOption(jsonOption())
    .action(async (text: string, other: string | undefined, options: { json: boolean }) =>
      exit(await compare(await client(), terminal, [text, other], options)),
    );
}

/** The options of `submit`, as commander gives them. */
interface SubmitFlags {
  readonly dataset: string[];
  readonly param: string[];
  readonly set: string[];
  readonly programName?: string;
  readonly follow: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly idempotencyKey?: string;
}
