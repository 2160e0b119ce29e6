import { readFileSync } from 'node:fs';

import type { Client } from '@longrun/client';
import { readVariables, variables } from '@longrun/platform/configuration';
import { Command, CommanderError, Option } from 'commander';

import { type AddressOptions, connect } from './address.js';
import {
  appended,
  asTyped,
  eachOf,
  experimentReference,
  fileName,
  folder,
  idArgument,
  idempotencyKey,
  jsonOption,
  listed,
  reference,
  ReferenceArgument,
  serverUrl,
  WHICH,
  withLatest,
  wholeNumber,
} from './arguments.js';
import { cancel } from './commands/cancel.js';
import { compare } from './commands/compare.js';
import { completionCommands } from './commands/completion-commands.js';
import { EXPORT_FORMATS, type ExportFormat } from './commands/export/export-format.js';
import { DEFAULT_COLUMNS, list, type ListOptions } from './commands/ls.js';
import { verbCommands } from './commands/verb-commands.js';
import { type ExperimentFilters, filterQuery, withFilters } from './commands/experiment-filters.js';
import { checkpointCommands } from './commands/checkpoint/checkpoint-commands.js';
import { loginCommands } from './commands/login-commands.js';
import { logs } from './commands/logs.js';
import { programCommands } from './commands/program-commands.js';
import { rebuild } from './commands/rebuild.js';
import { reproduce } from './commands/reproduce.js';
import { secretCommands } from './commands/secret-commands.js';
import { queryCommands } from './commands/query/query-commands.js';
import { runCommands } from './commands/run-commands.js';
import { show } from './commands/show.js';
import { forkCommands } from './commands/fork-commands.js';
import { submit } from './commands/submit.js';
import { up } from './commands/up.js';
import { wait } from './commands/wait.js';
import { workerCommands } from './commands/worker-commands.js';
import { demo } from './demo/demo.js';
import type { DownloadOptions } from './commands/download/download.js';
import { exitCodeOf, sayError } from './output/errors.js';
import { soak } from './soak/soak.js';
import type { Surroundings } from './surroundings.js';

/** Runs one command line (without `node longrun`). Gives its exit code, one of {@link EXIT_CODES}. */
export async function run(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { terminal } = surroundings;
  // Also where the command line cannot be parsed, which is when its options are not known.
  const json = words.includes('--json');
  let code = 0;
  try {
    const program = commandTree(surroundings, json, (value) => (code = value));
    await program.parseAsync(withLatest(words), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // Commander has told a person already.
    if (json || !(error instanceof CommanderError)) sayError(terminal, error, json);
    return exitCodeOf(error);
  }
}

const EXIT_CODES = `
Exit codes:
  0    it was done; an experiment or a dataset that was waited for or followed has ended well
  1    it failed or was refused
  2    the command, a variable (LONGRUN_...) or the spec was not written right
  3    what was waited for, followed or shown by \`logs\` has failed
  4    ... was cancelled
  5    ... has not ended within --timeout: it waits, runs or is paused
  130  it was ended by Ctrl+C (143 by SIGTERM, but 0 for \`up\`, which it ends in order, also as it starts)

With --json an error is one line of JSON on stderr: {"error":{"message","errors":[{"place","detail","remedy"}]}}.`;

function commandTree(surroundings: Surroundings, json: boolean, exit: (code: number) => void): Command {
  const { terminal, environment } = surroundings;
  const { LONGRUN_STATE } = readVariables({ LONGRUN_STATE: variables.LONGRUN_STATE }, environment);
  const program = new Command('longrun')
    .description('Long deep-learning experiments that survive preemption.')
    .version(version(), '-V, --version')
    .option('--state <folder>', 'state folder of the local stack', folder, LONGRUN_STATE)
    .option(
      '--server <url>',
      'API to talk to (default: LONGRUN_URL, the local stack, or the last `longrun login`)',
      serverUrl,
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      // As JSON it is said once, when the error is known.
      writeErr: (text) => (json ? undefined : terminal.say(asTyped(text.trimEnd()))),
    })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('(`longrun --help` shows the commands)');
  const state = (): string => program.opts<{ state: string }>().state;
  const address = (): AddressOptions => ({
    server: program.opts<{ server?: string }>().server,
    state: state(),
    mayUseLogin: program.getOptionValueSource('state') === 'default' && !environment['LONGRUN_STATE']?.trim(),
    environment,
  });
  const client = (): Promise<Client> => connect(address());

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
    .option('--idempotency-key <key>', 'the same key submits at most once (default: a new one)', idempotencyKey)
    .addOption(jsonOption())
    .action(async (file: string, { idempotencyKey: key, programName, ...options }: SubmitFlags) => {
      exit(await submit(client, terminal, file, { ...options, idempotencyKey: key, programName }));
    });

  forkCommands(program, terminal, client, exit);
  runCommands(program, terminal, exit);

  program
    .command('rebuild')
    .description('convert a dataset that is ready anew, as a new one that takes its name, whatever its raw files are')
    .addArgument(new ReferenceArgument('<dataset>', 'id, beginning of an id, or name').argParser(reference))
    .option('-f, --follow', 'stay until it has ended', false)
    .option('--idempotency-key <key>', 'the same key submits at most once (default: a new one)', idempotencyKey)
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
    .option('--idempotency-key <key>', 'the same key submits at most once (default: a new one)', idempotencyKey)
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

  programCommands(program, terminal, client);

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
      const { metrics } = await import('./commands/metrics.js');
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

  program
    .command('cancel')
    .description('cancel an experiment or the conversion of a dataset')
    .addArgument(idArgument())
    .addOption(jsonOption())
    .action(async (id: string, options: { json: boolean }) => cancel(await client(), terminal, id, options));

  verbCommands(program, terminal, client);

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
      const { download } = await import('./commands/download/download.js');
      await download(await client(), terminal, id, options);
    });

  loginCommands(program, surroundings, address);
  secretCommands(program, surroundings, state);
  completionCommands(program, terminal, address);
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
      const { exportRecord } = await import('./commands/export/export.js');
      await exportRecord(await client(), terminal, { folder: to, format, json: isJson, query: filterQuery(filters) });
    });

  queryCommands(program, terminal, client);
  workerCommands(program, terminal, client);
  checkpointCommands(program, terminal, { address, client }, exit);

  program
    .command('doctor')
    .description('look whether Longrun can run here, and what it can protect; exit code 1 when a check fails')
    .addOption(jsonOption())
    .action(async (options: { json: boolean }) => {
      // It loads what workers load, which no other command needs.
      const { doctor } = await import('./commands/doctor.js');
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

  return program;
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

/** The options of `export`, as commander gives them. */
interface ExportFlags extends ExperimentFilters {
  readonly to: string;
  readonly format: ExportFormat;
  readonly json: boolean;
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

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
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
