import { assertNever, type DatasetStatus, type DatasetView, type ExperimentStatus } from '@longrun/contracts';

import type { Client } from '../client.js';
import type { Terminal } from '../output/terminal.js';
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
 * Prints the events of an experiment, or of a dataset, which has no log, its attempts and how far it is. The exit code: 0
 * when it ended well or goes on, 1 when it failed or was cancelled.
 */
export async function logs(client: Client, terminal: Terminal, text: string, options: LogsOptions): Promise<number> {
  const reference = await resolveReference(client, text);
  if (options.follow) return follow(client, terminal, reference, options);
  const { kind, id } = reference;
  if (kind === 'experiment') {
    let status: ExperimentStatus = 'queued';
    for await (const event of client.eventsSoFar(id)) {
      printEvent(terminal, event, options);
      if (event.type === 'status') ({ status } = event.data);
    }
    return exitCode(status);
  }
  const view = await client.dataset(id);
  if (options.json) terminal.printJson(view, 2);
  else terminal.print(datasetText(view, terminal));
  return exitCode(view.status);
}

function datasetText(view: DatasetView, terminal: Terminal): string {
  const attempts = view.attempts.map(({ fence, workerId, status, reason, message }) => {
    const worker = workerId === null ? '' : ` on ${workerId}`;
    const why = message === null ? '' : `: ${message}`;
    return terminal.style('dim', `attempt ${fence}${worker} ${reason === null ? status : `ended: ${reason}${why}`}`);
  });
  return [...attempts, datasetLine(view, terminal)].join('\n');
}

function exitCode(status: ExperimentStatus | DatasetStatus): number {
  switch (status) {
    case 'queued':
    case 'running':
    case 'paused':
    case 'converting':
    case 'succeeded':
    case 'ready':
      return 0;
    case 'failed':
    case 'cancelled':
      return 1;
    default:
      return assertNever(status, 'status');
  }
}
