import type { Command } from 'commander';

import { appended, folder, jsonOption, wholeNumber } from '../arguments.js';
import type { Terminal } from '../output/terminal.js';
import type { RunOptions } from './run/run.js';

/** Training here and now. */
export function runCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('run')
    .description(
      'train a program here and now, from its file and without any service: Ctrl+C commits a checkpoint and ends it, and the same command goes on from there',
    )
    .argument('<file>', 'its file (.ts, .js), or a folder with an index.ts')
    .option('--dataset <file>', 'an HDF5 file to train on, or role=file for one of several; repeatable', appended, [])
    .option('-p, --param <name=value>', 'a parameter, as in learningRate=0.01; repeatable', appended, [])
    .option(
      '--seed <number>',
      'what all randomness is drawn from (default: 1)',
      wholeNumber({ least: 0, most: Number.MAX_SAFE_INTEGER }),
    )
    .option(
      '--checkpoints <folder>',
      'where checkpoints and outputs are kept (default: <name>.longrun beside the file)',
      folder,
    )
    .option(
      '--every-batches <number>',
      'batches between two checkpoints (default: 100)',
      wholeNumber({ least: 1, most: Number.MAX_SAFE_INTEGER }),
    )
    .option('--fresh', 'begin anew; what an earlier run has left is moved aside', false)
    .option('--engine <name>', 'what trains: onnxruntime, tfjs or reference (default: onnxruntime)')
    .option('--provider <name>', 'what the engine computes with (default: the first that this machine has)')
    .option('--device <number>', 'which device of the provider (default: 0)', wholeNumber({ least: 0, most: 1_023 }))
    .option('--threads <number>', 'threads of the engine (default: 2)', wholeNumber({ least: 1, most: 1_024 }))
    .addOption(jsonOption())
    .action(async (file: string, options: RunOptions) => {
      // It loads what trains, which no other command needs.
      const { run } = await import('./run/run.js');
      exit(await run(terminal, file, options));
    });
}
