import type { Client } from '@longrun/client';
import { visibleLine } from '@longrun/contracts';

import { statusText } from '../output/status-text.js';
import type { Terminal } from '../output/terminal.js';
import { printComparison } from './compare.js';
import { ENDED, exitCodeOfStatus } from './ended.js';
import { ConnectionNews } from './follow.js';
import { resolveExperiment } from './reference.js';
import { listenForStop } from './stop-requests.js';
import { submitOnce, type SubmissionOptions } from './submit.js';

/** How an experiment is reproduced. */
export interface ReproduceOptions extends Omit<SubmissionOptions, 'follow'> {
  /** Until both have ended, and compare them. */
  readonly wait: boolean;
}

/**
 * Submits an experiment once more, the very same, waits until both have ended and says whether they are identical. The exit code: 0 if they are,
 * 1 if not, that of {@link exitCodeOfStatus} where the new one does not end well, 130 after Ctrl+C, which ends this and no experiment.
 */
export async function reproduce(
  client: Client,
  terminal: Terminal,
  text: string,
  options: ReproduceOptions,
): Promise<number> {
  const original = await resolveExperiment(client, text);
  const made = await submitOnce(
    terminal,
    async (idempotencyKey, signal) => await client.experiments.reproduce(original, { idempotencyKey, signal }),
    options,
  );
  if (typeof made === 'number') return made;
  const line = `${made.id}  ${visibleLine(made.name)}  ${statusText(made, terminal)}`;
  if (!options.wait) {
    if (options.json) terminal.printJson(made, 2);
    else terminal.print(line);
    if (!options.json) terminal.say(`compare them when both have ended: longrun compare ${made.id}`);
    return exitCodeOfStatus(made.status, made.reason);
  }
  terminal.say(line);
  return await compareAtEnd(client, terminal, [original, made.id], options);
}

async function compareAtEnd(
  client: Client,
  terminal: Terminal,
  [original, id]: readonly [string, string],
  output: { readonly json: boolean },
): Promise<number> {
  const requests = listenForStop();
  const news = new ConnectionNews(client, terminal);
  let exitCode: number = ENDED.notYet;
  try {
    for await (const comparison of client.experiments.lookAtComparison([original, id], {
      onDisconnect: news.lost,
      signal: requests.stop,
    })) {
      news.serves();
      if (comparison.verdict === 'undecided') continue;
      const verdict = printComparison(terminal, comparison, output);
      const end = exitCodeOfStatus(comparison.b.status, null);
      exitCode = end === ENDED.well ? verdict : end;
    }
    return exitCode;
  } catch (error) {
    if (!requests.stop.aborted) throw error;
    terminal.say(`\n${id} goes on. Compare them when both have ended: longrun compare ${id}`);
    return requests.exitCode();
  } finally {
    requests.release();
  }
}
