import type { Client } from '@longrun/client';
import type { Hyperparameters } from '@longrun/contracts';
import type { Command } from 'commander';

import {
  appended,
  eachOf,
  experimentReference,
  idArgument,
  jsonOption,
  namedNumber,
  wholeNumber,
} from '../arguments.js';
import type { Terminal } from '../output/terminal.js';
import { cancel } from './cancel.js';
import { rm } from './rm.js';
import { change, pause, preempt, resume, retry, set } from './verbs.js';

/** What is done with an experiment that is there. */
export function verbCommands(program: Command, terminal: Terminal, client: () => Promise<Client>): void {
  const command = (name: string, description: string): Command =>
    program.command(name).description(description).addArgument(idArgument('<experiment>')).addOption(jsonOption());

  program
    .command('cancel')
    .description('cancel an experiment or the conversion of a dataset')
    .addArgument(idArgument())
    .addOption(jsonOption())
    .action(async (id: string, options: { json: boolean }) => cancel(await client(), terminal, id, options));
  command(
    'preempt',
    'have a running experiment checkpoint and give its machine back, as if it were preempted; it is queued again',
  ).action(async (text: string, options: { json: boolean }) => preempt(await client(), terminal, text, options));
  command('tag', 'give an experiment tags, or take them away')
    .argument('[tags...]', 'tags that it gets')
    .option('--remove <tag>', 'a tag that it loses; repeatable', appended, [])
    .action(async (text: string, addTags: string[], { json, remove }: { json: boolean; remove: string[] }) =>
      change(await client(), terminal, text, { json, change: { addTags, removeTags: remove } }),
    );
  command('note', 'write notes on an experiment, in place of those that it has')
    .argument('<notes>', 'an empty text takes them away')
    .action(async (text: string, notes: string, { json }: { json: boolean }) =>
      change(await client(), terminal, text, { json, change: { notes } }),
    );
  command('priority', 'have an experiment run sooner (a higher number) or later than others that wait')
    .argument('<number>', '-1000 to 1000; write -- before a negative one', wholeNumber({ least: -1000, most: 1000 }))
    .action(async (text: string, priority: number, { json }: { json: boolean }) =>
      change(await client(), terminal, text, { json, change: { priority } }),
    );

  command('set', 'set hyperparameters of an experiment that trains, before its next batch')
    .argument('<values...>', 'name=number each: learning_rate=1e-4, or adam.learning_rate=1e-4', namedNumber)
    .action(async (text: string, values: Hyperparameters, options: { json: boolean }) =>
      set(await client(), terminal, text, { ...options, values }),
    );
  command('pause', 'have an experiment checkpoint and give its machine back, until it is resumed').action(
    async (text: string, options: { json: boolean }) => pause(await client(), terminal, text, options),
  );
  command('resume', 'queue a paused experiment again, at the place that it had').action(
    async (text: string, options: { json: boolean }) => resume(await client(), terminal, text, options),
  );
  command(
    'retry',
    'queue an experiment again that has failed or was cancelled, with new budgets, from its newest checkpoint',
  ).action(async (text: string, options: { json: boolean }) => retry(await client(), terminal, text, options));

  program
    .command('rm')
    .alias('delete')
    .description(
      'delete experiments that have ended, with their logs, checkpoints and outputs, or datasets that none of the others needs, for good',
    )
    .addArgument(idArgument('<ids...>', 'ids, beginnings of ids, or names').argParser(eachOf(experimentReference)))
    .addOption(jsonOption())
    .action(async (ids: string[], options: { json: boolean }) => rm(await client(), terminal, ids, options));
}
