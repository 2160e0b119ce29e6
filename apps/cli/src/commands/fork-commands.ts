import type { Client } from '@longrun/client';
import { type Command, Option } from 'commander';

import { appended, idArgument, idempotencyOption, jsonOption, wholeNumber } from '../arguments.js';
import type { Terminal } from '../output/terminal.js';
import { fork, type ForkOptions } from './fork.js';

/** New experiments that go on from others. */
export function forkCommands(
  program: Command,
  terminal: Terminal,
  client: () => Promise<Client>,
  exit: (code: number) => void,
): void {
  const command = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .addArgument(idArgument('<experiment>'))
      .option('-p, --param <name=value>', 'a parameter that is another, as in epochs=27; repeatable', appended, [])
      .option('--set <path=value>', 'another value in the spec, as in name=longer; repeatable', appended, [])
      .option('-f, --follow', 'stay until it has ended', false)
      .addOption(idempotencyOption())
      .addOption(jsonOption())
      .action(async (text: string, { idempotencyKey: key, ...options }: ForkOptions) => {
        exit(await fork(await client(), terminal, text, { ...options, idempotencyKey: key }));
      });

  command(
    'continue',
    'submit an experiment that goes on from the newest checkpoint of another one, to another end: with its program, datasets and parameters but those given',
  );
  command('fork', 'submit an experiment that goes on from any checkpoint of another one, with other parameters')
    .option(
      '--step <number>',
      'the step of the checkpoint (default: the newest)',
      wholeNumber({ least: 0, most: Number.MAX_SAFE_INTEGER }),
    )
    .option('--dataset <name>', 'another dataset, or role=name for one of several; repeatable', appended, [])
    .addOption(
      new Option('--allow <what>', 'may be another one than there; repeatable')
        .choices(['program', 'datasets'])
        .argParser(appended)
        .default([]),
    );
}
