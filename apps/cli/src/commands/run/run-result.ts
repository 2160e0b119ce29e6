import { join } from 'node:path';

import { type MainLoop, newestSnapshot, SNAPSHOT_FILES } from '@longrun/blocks';
import { encodeNumber } from '@longrun/contracts';
import { hashFile } from '@longrun/serialization';

import type { Terminal } from '../../output/terminal.js';

/** Says what training has come to: steps, what was logged last as numbers, and the parameters with their SHA-256; `json`: as one line of JSON. */
export async function sayResult(
  mainLoop: MainLoop,
  checkpoints: string,
  terminal: Terminal,
  { json }: { readonly json: boolean },
): Promise<void> {
  const steps = mainLoop.status.iterationsDone;
  const parameters = join((await newestSnapshot(checkpoints)) ?? checkpoints, SNAPSHOT_FILES.parameters);
  const { sha256 } = await hashFile(parameters);
  const numbers = Object.entries(mainLoop.log.currentRow).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && !entry[0].startsWith('_'),
  );
  const { outputs } = mainLoop;
  if (json) {
    terminal.printJson({
      steps,
      lastRow: Object.fromEntries(numbers.map(([record, value]) => [record, encodeNumber(value)])),
      parametersSha256: sha256,
      parameters,
      outputs: outputs?.names.map((name) => join(outputs.folder, name)) ?? [],
    });
    return;
  }
  const costs = numbers.map(([record, value]) => `${record} ${value.toPrecision(4)}`).join(', ');
  terminal.print(`finished after ${steps} steps${costs === '' ? '' : `: ${costs}`}`);
  if (outputs !== undefined && outputs.names.length > 0)
    terminal.print(`outputs ${outputs.names.join(', ')} in ${outputs.folder}`);
  terminal.print(`parameters sha256 ${sha256} in ${parameters}`);
}
