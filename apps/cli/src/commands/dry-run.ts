import type { Client } from '@longrun/client';
import { type DatasetDryRun, type ExperimentDryRun, shortProgram, visibleLine } from '@longrun/contracts';
import { stringify } from 'yaml';

import type { Terminal } from '../output/terminal.js';
import type { Submission } from '../spec-file.js';

/**
 * Has the API check what would be submitted, and prints the spec as it would be recorded, as YAML that can be submitted; with `json` all that it
 * answers. The exit code.
 */
export async function dryRun(
  client: Client,
  terminal: Terminal,
  { kind, spec }: Submission,
  { json }: { readonly json: boolean },
): Promise<number> {
  const answer = kind === 'experiment' ? await client.experiments.dryRun(spec) : await client.datasets.dryRun(spec);
  if (json) {
    terminal.printJson(answer, 2);
    return 0;
  }
  terminal.print(stringify(answer.spec).trimEnd());
  terminal.say(`longrun: ${outcome(answer)}; nothing was recorded`);
  return 0;
}

function outcome(answer: ExperimentDryRun | DatasetDryRun): string {
  const name = visibleLine(answer.name);
  if ('existing' in answer) {
    const { action, existing } = answer;
    if (existing === null) return `it would be submitted as the dataset ${name}`;
    const isThere = `it is there already, as ${existing}`;
    return action === 'answer'
      ? isThere
      : `${isThere}; its raw files would be looked at, and converted if they have changed`;
  }
  const { spec, programSha256, datasets } = answer;
  const program = programSha256 === null ? spec.program : shortProgram(spec.program.replace(/@.*/, ''), programSha256);
  return `it would be submitted as ${name}, of the program ${program}, on ${Object.values(datasets).join(', ')}`;
}
