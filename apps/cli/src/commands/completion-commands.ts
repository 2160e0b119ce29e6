import { Argument, type Command } from 'commander';

import type { AddressOptions } from '../address.js';
import { KNOWN_KINDS, type KnownKind, knownWords } from '../completion/known-words.js';
import type { Terminal } from '../output/terminal.js';

/** What shells complete command lines by. */
export function completionCommands(program: Command, terminal: Terminal, address: () => AddressOptions): void {
  program
    .command('completion')
    .description('print what a shell completes command lines by: source <(longrun completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(async (shell: (typeof SHELLS)[number]) => {
      const [{ commandTable }, { bashCompletion, zshCompletion }, { fishCompletion }] = await Promise.all([
        import('../completion/command-table.js'),
        import('../completion/bash.js'),
        import('../completion/fish.js'),
      ]);
      const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
      for (const line of scripts[shell](commandTable(program)).split('\n')) terminal.print(line);
    });
  program
    .command('complete', { hidden: true })
    .description('for these scripts: ids and names that begin so, one a line')
    .addArgument(new Argument('<what>').choices(KNOWN_KINDS))
    .argument('[beginning]', 'what was typed of it', '')
    .action(async (kind: KnownKind, beginning: string) => {
      for (const word of await knownWords(address(), kind, beginning)) terminal.print(word);
    });
}

const SHELLS = ['bash', 'zsh', 'fish'] as const;
