import type { Client } from '@longrun/client';
import { Argument, type Command, Option } from 'commander';

import type { AddressOptions } from '../../address.js';
import { experimentReference, fileName, folder, idArgument, jsonOption, reference, WHICH } from '../../arguments.js';
import type { Terminal } from '../../output/terminal.js';

/** Each loads what it needs, which no other command does. */
export function checkpointCommands(
  program: Command,
  terminal: Terminal,
  { address, client }: { readonly address: () => AddressOptions; readonly client: () => Promise<Client> },
  exit: (code: number) => void,
): void {
  const checkpoint = program
    .command('checkpoint')
    .description('list, show, verify, export, compare or pin the checkpoints of an experiment')
    .addHelpText('after', CHECKPOINT_HELP);
  const command = (name: string, description: string): Command =>
    checkpoint
      .command(name)
      .description(description)
      .addArgument(
        idArgument(
          '<experiment>',
          'id, beginning of an id, or name of an experiment; in a store its whole id, or a prefix as experiments/<id>',
        ),
      )
      .option('--objects <url>', 'read this object store itself (default: LONGRUN_OBJECTS, or by way of the API)')
      .addOption(jsonOption());
  const place = (experiment: string, { objects, json }: CheckpointOptions) => ({
    experiment,
    objects,
    json,
    ...address(),
  });

  command('ls', 'list checkpoints, newest first').action(async (experiment: string, options: CheckpointOptions) => {
    const { listCheckpoints } = await import('./ls.js');
    await listCheckpoints(terminal, place(experiment, options));
  });

  command('show', 'show the manifest, files, tensors, environment and log segments of a checkpoint')
    .addArgument(checkpointArgument())
    .action(async (experiment: string, which: string, options: CheckpointOptions) => {
      const { showCheckpoint } = await import('./show.js');
      await showCheckpoint(terminal, which, place(experiment, options));
    });

  command('verify', 'read every byte of a checkpoint and compare it with what was committed; exit code 1 for damage')
    .argument('[checkpoint]', `${WHICH} (default: latest)`, reference)
    .option('--all', 'every checkpoint, and the log that the head keeps beside them', false)
    .action(
      async (
        experiment: string,
        which: string | undefined,
        options: CheckpointOptions & { all: boolean },
        used: Command,
      ) => {
        const { all } = options;
        if (all && which !== undefined) used.error('error: give one checkpoint, or --all');
        const { verifyCheckpoints } = await import('./verify.js');
        exit(await verifyCheckpoints(terminal, all ? undefined : (which ?? 'latest'), place(experiment, options)));
      },
    );

  command('export', 'copy the files of a checkpoint, verified, to a folder, or its parameters to a file')
    .addArgument(checkpointArgument())
    .addOption(
      new Option('--to <folder>', 'a folder that is empty or not there yet').argParser(folder).conflicts('parameters'),
    )
    .option('--parameters <file>', 'only parameters.safetensors, under a name that is not there yet', fileName)
    .action(async (experiment: string, which: string, options: ExportTarget, used: Command) => {
      const { to, parameters } = options;
      if (to === undefined && parameters === undefined) used.error('error: give --to FOLDER or --parameters FILE');
      const { exportCheckpoint } = await import('./export.js');
      await exportCheckpoint(terminal, which, { ...place(experiment, options), to, parameters });
    });

  command('diff', 'compare two checkpoints: tensors by name, state by path')
    .argument('<a>', WHICH, reference)
    .argument('<b>', WHICH, reference)
    .option('--with <experiment>', 'the experiment that <b> is of (default: the same)', experimentReference)
    .action(async (experiment: string, a: string, b: string, options: CheckpointOptions & { with?: string }) => {
      const { diffCheckpoints } = await import('./diff.js');
      await diffCheckpoints(terminal, [a, b], { ...place(experiment, options), with: options.with });
    });

  for (const [name, isPinned, description] of [
    ['pin', true, 'keep a checkpoint, whatever is committed after it'],
    ['unpin', false, 'let go of a checkpoint that was pinned'],
  ] as const) {
    checkpoint
      .command(name)
      .description(`${description}; by way of the API`)
      .addArgument(idArgument('<experiment>'))
      .argument('<checkpoint>', WHICH, reference)
      .addOption(jsonOption())
      .action(async (experiment: string, which: string, { json }: { json: boolean }) => {
        const { pinCheckpoint } = await import('./pin.js');
        await pinCheckpoint(await client(), terminal, experiment, { which, isPinned, json });
      });
  }
}

interface CheckpointOptions {
  readonly json: boolean;
  readonly objects?: string;
}

interface ExportTarget extends CheckpointOptions {
  readonly to?: string;
  readonly parameters?: string;
}

const CHECKPOINT_HELP = `
Only pins change anything, whoever trains meanwhile. With --objects or LONGRUN_OBJECTS the object store is read itself, and no API is needed; else the API is
asked that other commands ask, or the store of the state folder read where none runs. A checkpoint is named by its step, by its name (<step>-<fence>), or as latest.`;

function checkpointArgument(): Argument {
  return new Argument('[checkpoint]', WHICH).argParser(reference).default('latest');
}
