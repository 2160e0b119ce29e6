import type { Client } from '../client.js';
import type { Terminal } from '../output/terminal.js';
import { resolveExperiment } from './reference.js';

/** Deletes experiments for good, one after the other, and says of each that it is deleted. The first that is refused ends it. */
export async function rm(
  client: Client,
  terminal: Terminal,
  texts: readonly string[],
  { json }: { readonly json: boolean },
): Promise<void> {
  const ids: string[] = [];
  // A word that means nothing is said before anything is deleted.
  for (const text of texts) ids.push(await resolveExperiment(client, text));
  for (const id of new Set(ids)) {
    await client.deleteExperiment(id);
    if (json) terminal.printJson({ id, deleted: true });
    else terminal.print(`${id}  deleted`);
  }
}
