import type { Command, Option } from 'commander';

import { ReferenceArgument } from '../arguments.js';
import type { KnownKind } from './known-words.js';

/** What can stand where one command was typed. */
export interface CommandEntry {
  /** Its words after `longrun`, with a blank between: `checkpoint ls`; empty for `longrun` itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionEntry[];
  /** What its arguments mean; undefined: something else. */
  readonly completes: KnownKind | undefined;
}

/** An option of a command. */
export interface OptionEntry {
  /** `--follow`, and `-f` where there is one. */
  readonly flags: readonly string[];
  readonly description: string;
  /** What its value can be: one of these words, one of what is known, or (`any`) something else; undefined: it has none. */
  readonly value: readonly string[] | KnownKind | 'any' | undefined;
}

/** A command and all below it, as its help shows them. */
export function commandTable(command: Command, path: readonly string[] = []): readonly CommandEntry[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const own: CommandEntry = {
    path: path.join(' '),
    commands: commands.map((one) => ({ name: one.name(), description: one.description() })),
    options: [...help.visibleOptions(command), ...(path.length === 0 ? [] : globalOptions(command))].map(optionEntry),
    completes: command.registeredArguments.find((argument) => argument instanceof ReferenceArgument)?.completes,
  };
  return [own, ...commands.flatMap((one) => commandTable(one, [...path, one.name()]))];
}

function globalOptions(command: Command): readonly Option[] {
  const { parent } = command;
  return parent?.parent == null ? (parent?.options ?? []) : globalOptions(parent);
}

function optionEntry({ flags, short, long, description, required, optional, argChoices }: Option): OptionEntry {
  const takesValue = required || optional;
  // `run` takes files.
  const known = flags === '--dataset <name>' ? 'datasets' : 'any';
  return {
    flags: [long, short].filter((flag) => typeof flag === 'string'),
    description,
    value: takesValue ? (argChoices ?? known) : undefined,
  };
}
