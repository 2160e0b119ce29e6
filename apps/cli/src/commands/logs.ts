import { assertNever, type ExperimentStatus, type LiveEvent, visibleIn, visibleJson } from '@longrun/contracts';

import type { Client } from '../client.js';
import { duration } from '../output/amounts.js';
import { eventText } from '../output/event-text.js';
import type { Terminal } from '../output/terminal.js';
import { experimentId } from './reference.js';

/** How `longrun logs` shows an experiment. */
export interface LogsOptions {
  /** Stay until it has ended; without, end at what has happened so far. */
  readonly follow: boolean;
  /** One JSON event a line, the API's own. */
  readonly json: boolean;
}

/** Prints the events of an experiment. The exit code: 0 when it succeeded or goes on, 1 when it failed or was cancelled. */
export async function logs(client: Client, terminal: Terminal, text: string, options: LogsOptions): Promise<number> {
  const id = await experimentId(client, text);
  let broken = false;
  const onDisconnect = (_cause: unknown, pauseMs: number): void => {
    if (!broken) terminal.say(`longrun: lost the API at ${client.url}; trying again (in ${duration(pauseMs)} first)`);
    broken = true;
  };
  const onEvent = (event: LiveEvent): void => {
    if (broken) terminal.say('longrun: connected again');
    broken = false;
    const line = options.json ? visibleJson(event) : eventText(visibleIn(event), terminal);
    if (line !== undefined) terminal.print(line);
  };
  if (!options.follow) {
    for await (const event of client.eventsSoFar(id)) onEvent(event);
    return exitCode((await client.experiment(id)).status);
  }
  for await (const event of client.follow(id, { onDisconnect })) onEvent(event);
  return exitCode((await client.experiment(id)).status);
}

function exitCode(status: ExperimentStatus): number {
  switch (status) {
    case 'queued':
    case 'running':
    case 'succeeded':
      return 0;
    case 'failed':
    case 'cancelled':
      return 1;
    default:
      return assertNever(status, 'experiment status');
  }
}
