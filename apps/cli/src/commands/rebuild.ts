import type { Client } from '@longrun/client';

import type { Terminal } from '../output/terminal.js';
import { resolveDataset } from './reference.js';
import { reportSubmitted, type SubmissionOptions, submitOnce } from './submit.js';

/** Has a dataset converted anew, as a new one that takes its name, whatever its raw files are. The exit code. */
export async function rebuild(
  client: Client,
  terminal: Terminal,
  text: string,
  options: SubmissionOptions,
): Promise<number> {
  const id = await resolveDataset(client, text);
  const made = await submitOnce(
    terminal,
    async (idempotencyKey, signal) => await client.datasets.rebuild(id, { idempotencyKey, signal }),
    options,
  );
  return typeof made === 'number' ? made : await reportSubmitted(client, terminal, 'dataset', made, options);
}
