import { isTerminal, visibleJson, visibleLine } from '@longrun/contracts';

import type { Client } from '../client.js';
import { statusText } from '../output/status-text.js';
import type { Terminal } from '../output/terminal.js';
import { experimentId } from './reference.js';

/** Asks for the end of an experiment. */
export async function cancel(
  client: Client,
  terminal: Terminal,
  text: string,
  options: { json: boolean },
): Promise<void> {
  const view = await client.cancelExperiment(await experimentId(client, text));
  if (options.json) return terminal.print(visibleJson(view, 2));
  const soon = isTerminal(view.status) ? '' : '; it will be cancelled at its next step boundary';
  terminal.print(`${view.id}  ${visibleLine(view.name)}  ${statusText(view, terminal)}${soon}`);
}
