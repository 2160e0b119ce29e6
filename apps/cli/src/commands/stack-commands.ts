import { type Command, Option } from 'commander';

import { jsonOption, wholeNumber } from '../arguments.js';
import { demo } from '../demo/demo.js';
import { soak } from '../soak/soak.js';
import type { Surroundings } from '../surroundings.js';
import { up } from './up.js';

/** What commands need that start services on this machine. */
export interface Local extends Pick<Surroundings, 'terminal' | 'environment'> {
  /** The state folder. */
  readonly state: () => string;
  readonly exit: (code: number) => void;
}

/** The local stack. */
export function stackCommands(program: Command, { terminal, state, exit }: Local): void {
  program
    .command('up')
    .description('run Redis, the API, fuel-preproc and worker-gpu until Ctrl+C')
    .option(
      '--port <number>',
      'port of the API on 127.0.0.1 (0: a free one)',
      wholeNumber({ least: 0, most: 65_535 }),
      0,
    )
    .addOption(s3Option())
    .addOption(jsonOption())
    .action(async (options: { port: number; json: boolean; s3?: string | true }) =>
      exit(await up(terminal, { state: state(), ...options, objectsUrl: bucketUrl(program, options.s3) })),
    );
}

/** What shows that Longrun runs here, and keeps its promise. */
export function provingCommands(program: Command, { terminal, state, environment, exit }: Local): void {
  program
    .command('doctor')
    .description('look whether Longrun can run here, and what it can protect; exit code 1 when a check fails')
    .addOption(jsonOption())
    .action(async (options: { json: boolean }) => {
      // It loads what workers load, which no other command needs.
      const { doctor } = await import('./doctor.js');
      exit(await doctor(terminal, { state: state(), environment, ...options }));
    });

  program
    .command('demo')
    .description('show that a run which is killed twice ends bit for bit like an undisturbed one')
    .option('--stay', 'leave everything running afterwards, until Ctrl+C', false)
    .option('--short', 'train for one epoch instead of three', false)
    .option('--engine <name>', 'what trains: onnxruntime, tfjs or reference (default: as in the spec file)')
    .option('--provider <name>', 'what the engine computes with (default: the first that this machine has)')
    .option(
      '--repeat <number>',
      'soak: so many disturbed runs, each killed at moments of its own',
      wholeNumber({ least: 1, most: 10_000 }),
    )
    .addOption(s3Option())
    .addOption(jsonOption())
    .action(async ({ s3, engine, provider, repeat, ...flags }: DemoFlags) => {
      const resources = { engine, provider };
      exit(await demo(terminal, { state: state(), ...flags, repeat, resources, objectsUrl: bucketUrl(program, s3) }));
    });

  program
    .command('soak')
    .description('run small experiments while everything is killed, stopped and flushed at random, and compare')
    .option('--minutes <number>', 'how long disasters are done', wholeNumber({ least: 1, most: 10_000 }), 30)
    .option('--experiments <number>', 'how many experiments', wholeNumber({ least: 1, most: 10_000 }), 50)
    .option('--seed <number>', 'draws the disasters of an earlier soak again', wholeNumber({ least: 0, most: 2 ** 31 }))
    .action(async (options: { minutes: number; experiments: number; seed?: number }) => {
      exit(await soak(terminal, { state: state(), ...options, seed: options.seed }));
    });
}

/** The options of `demo`, as commander gives them. */
interface DemoFlags {
  readonly stay: boolean;
  readonly short: boolean;
  readonly json: boolean;
  readonly engine?: string;
  readonly provider?: string;
  readonly repeat?: number;
  readonly s3?: string | true;
}

function s3Option(): Option {
  return new Option(
    '--s3 [url]',
    'keep checkpoints and datasets in S3, as s3://bucket/prefix?endpoint=http://host:port, with the keys of the environment (AWS_...)',
  );
}

/** @throws CommanderError, once it is said, where `--s3` was given something else, or nothing */
function bucketUrl(program: Command, given: string | true | undefined): string | undefined {
  if (given === undefined || (given !== true && given.startsWith('s3://'))) return given;
  const what = given === true ? 'option --s3 needs a URL.' : `${given} is no URL of a bucket.`;
  return program.error(
    `error: ${what} Give one, such as s3://bucket/prefix; \`node scripts/s3-server.mjs --folder FOLDER\` starts a server on this machine and ` +
      'prints its URL and keys.',
  );
}
