import type { Client } from '@longrun/client';

import type { Terminal } from '../output/terminal.js';
import { type Reference, resolveReference } from './reference.js';

/** Deletes experiments and datasets for good, one after the other, and says of each that it is deleted. The first that is refused ends it. */
export async function rm(
  client: Client,
  terminal: Terminal,
  texts: readonly string[],
  { json }: { readonly json: boolean },
): Promise<void> {
  const references = new Map<string, Reference>();
  // A word that means nothing is said before anything is deleted.
  for (const text of texts) {
    const reference = await resolveReference(client, text);
    references.set(reference.id, reference);
  }
  for (const { kind, id } of references.values()) {
    if (kind === 'experiment') await client.experiments.delete(id);
    else await client.datasets.delete(id);
    if (json) terminal.printJson({ id, deleted: true });
    else terminal.print(`${id}  deleted`);
  }
}
