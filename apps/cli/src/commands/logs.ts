import type { Client } from '@longrun/client';
import type { DatasetView } from '@longrun/contracts';

import type { Terminal } from '../output/terminal.js';
import { ENDED, exitCodeOfStatus } from './ended.js';
import { datasetLine, follow, printEvent } from './follow.js';
import { resolveReference } from './reference.js';

/** How `longrun logs` shows an experiment or a dataset. */
export interface LogsOptions {
  /** Stay until it has ended; without, end at what has happened so far. */
  readonly follow: boolean;
  /** One JSON event a line, the API's own; of a dataset its state. */
  readonly json: boolean;
}

/**
 * Prints the events of an experiment, or of a dataset, which has no log, its attempts and how far it is. The exit code: one of
 * {@link ENDED}, 0 also when it goes on.
 */
export async function logs(client: Client, terminal: Terminal, text: string, options: LogsOptions): Promise<number> {
  const reference = await resolveReference(client, text);
  if (options.follow) return follow(client, terminal, reference, options);
  const { kind, id } = reference;
  if (kind === 'experiment') {
    let exitCode: number = ENDED.well;
    for await (const event of client.experiments.eventsSoFar(id)) {
      printEvent(terminal, event, options);
      if (event.type === 'status') exitCode = exitCodeOfStatus(event.data.status, event.data.reason);
    }
    return exitCode;
  }
  const view = await client.datasets.get(id);
  if (options.json) terminal.printJson(view, 2);
  else terminal.print(datasetText(view, terminal));
  return exitCodeOfStatus(view.status, view.reason);
}

function datasetText(view: DatasetView, terminal: Terminal): string {
  const attempts = view.attempts.map(({ fence, workerId, status, reason, message }) => {
    const worker = workerId === null ? '' : ` on ${workerId}`;
    const why = message === null ? '' : `: ${message}`;
    return terminal.style('dim', `attempt ${fence}${worker} ${reason === null ? status : `ended: ${reason}${why}`}`);
  });
  return [...attempts, datasetLine(view, terminal)].join('\n');
}
