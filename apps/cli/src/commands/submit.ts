import { visibleLine } from '@longrun/contracts';

import type { Client } from '../client.js';
import { statusText } from '../output/status-text.js';
import type { Terminal } from '../output/terminal.js';
import { parseOverride } from '../override.js';
import { readSpecFile } from '../spec-file.js';
import { follow } from './follow.js';

/** How a spec is submitted. */
export interface SubmitOptions {
  /** `path=value`, in order. */
  readonly set: readonly string[];
  /** Stay until it has ended. */
  readonly follow: boolean;
  readonly json: boolean;
  /** The same key submits at most once. Default: a new one. */
  readonly idempotencyKey: string | undefined;
}

/** Checks a spec file and submits it. The exit code. The client is asked for after the file has been found good. */
export async function submit(
  connect: () => Promise<Client>,
  terminal: Terminal,
  file: string,
  options: SubmitOptions,
): Promise<number> {
  const submission = await readSpecFile(file, options.set.map(parseOverride));
  const client = await connect();
  const key = options.idempotencyKey;
  const submitted =
    submission.kind === 'dataset'
      ? await client.submitDataset(submission.spec, key)
      : await client.submitExperiment(submission.spec, key);
  const { id, name, status } = submitted;
  const line = `${id}  ${visibleLine(name)}  ${statusText(submitted, terminal)}`;
  if (options.follow) {
    if (submission.kind === 'experiment') terminal.say(line);
    return follow(client, terminal, { kind: submission.kind, id }, options);
  }
  if (options.json) terminal.printJson(submitted, 2);
  else terminal.print(line);
  if (!options.json && (status === 'queued' || status === 'running' || status === 'converting')) {
    terminal.say(`follow it with: longrun logs -f ${id}`);
  }
  return status === 'failed' ? 1 : 0;
}
