import type { Client } from '@longrun/client';

import type { Terminal } from '../../output/terminal.js';
import { resolveExperiment } from '../reference.js';
import { holdersText } from './holds-text.js';

/** Keeps a checkpoint, whatever is committed after it, or lets go of it. */
export async function pinCheckpoint(
  client: Client,
  terminal: Terminal,
  experiment: string,
  { which, isPinned, json }: { readonly which: string; readonly isPinned: boolean; readonly json: boolean },
): Promise<void> {
  const id = await resolveExperiment(client, experiment);
  const found = isPinned ? await client.checkpoints.pin(id, which) : await client.checkpoints.unpin(id, which);
  if (json) return terminal.printJson(found, 2);
  const others = holdersText(found.holds);
  const kept = isPinned ? 'is kept until it is unpinned' : 'is no longer pinned';
  terminal.print(`${found.name} ${kept}${others.length === 0 ? '' : `; it is held by ${others.join(', ')} besides`}`);
}
