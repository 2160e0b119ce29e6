import type { Client } from '@longrun/client';
import { type DatasetView, type ExperimentView, isTerminal, isTerminalDataset, visibleLine } from '@longrun/contracts';

import { statusText } from '../output/status-text.js';
import type { Terminal } from '../output/terminal.js';
import { resolveReference } from './reference.js';

/** Asks for the end of an experiment, or of the conversion of a dataset. */
export async function cancel(
  client: Client,
  terminal: Terminal,
  text: string,
  options: { json: boolean },
): Promise<void> {
  const { kind, id } = await resolveReference(client, text);
  const view = kind === 'experiment' ? await client.experiments.act(id, 'cancel') : await client.datasets.cancel(id);
  if (options.json) return terminal.printJson(view, 2);
  terminal.print(`${view.id}  ${visibleLine(view.name)}  ${statusText(view, terminal)}${soon(view)}`);
}

function soon(view: ExperimentView | DatasetView): string {
  if ('datasets' in view) return isTerminal(view.status) ? '' : '; it will be cancelled at its next step boundary';
  return isTerminalDataset(view.status) ? '' : '; its conversion is being stopped';
}
