import { readFileSync } from 'node:fs';

import type { Client } from '@longrun/client';
import { readVariables, variables } from '@longrun/platform/configuration';
import { Command, CommanderError } from 'commander';

import { type AddressOptions, connect } from './address.js';
import { asTyped, folder, serverUrl, withLatest } from './arguments.js';
import { checkpointCommands } from './commands/checkpoint/checkpoint-commands.js';
import { completionCommands } from './commands/completion-commands.js';
import { forkCommands } from './commands/fork-commands.js';
import { loginCommands } from './commands/login-commands.js';
import { programCommands } from './commands/program-commands.js';
import { queryCommands } from './commands/query/query-commands.js';
import { readingCommands, takingCommands } from './commands/reading-commands.js';
import { runCommands } from './commands/run-commands.js';
import { secretCommands } from './commands/secret-commands.js';
import { provingCommands, stackCommands } from './commands/stack-commands.js';
import { reproduceCommands, submitCommands } from './commands/submit-commands.js';
import { verbCommands } from './commands/verb-commands.js';
import { workerCommands } from './commands/worker-commands.js';
import { exitCodeOf, sayError } from './output/errors.js';
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
  const local = { terminal, state, environment, exit };

  stackCommands(program, local);
  submitCommands(program, terminal, client, exit);
  forkCommands(program, terminal, client, exit);
  runCommands(program, terminal, exit);
  reproduceCommands(program, terminal, client, exit);
  programCommands(program, terminal, client);
  readingCommands(program, terminal, client, exit);
  verbCommands(program, terminal, client);
  takingCommands(program, terminal, client);
  loginCommands(program, surroundings, address);
  secretCommands(program, surroundings, state);
  completionCommands(program, terminal, address);
  queryCommands(program, terminal, client);
  workerCommands(program, terminal, client);
  checkpointCommands(program, terminal, { address, client }, exit);
  provingCommands(program, local);
  return program;
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}
