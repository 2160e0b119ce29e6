import { relative } from 'node:path';

import { duration } from '../output/amounts.js';
import { errorReport, exitCodeOf, sayError } from '../output/errors.js';
import type { Terminal } from '../output/terminal.js';
import { LocalStack, type StackEvent } from '../stack/stack.js';
import { listenForStop, type StopRequests, untilAborted } from './stop-requests.js';

/** How `longrun up` runs. */
export interface UpOptions {
  readonly state: string;
  readonly port: number;
  /** Where checkpoints and datasets lie. Default: in the state folder. */
  readonly objectsUrl: string | undefined;
  /** One JSON object a line instead of sentences. */
  readonly json: boolean;
}

/** Runs Redis, the API, fuel-preproc and worker-gpu until it is told to stop. The exit code. */
export async function up(terminal: Terminal, options: UpOptions): Promise<number> {
  const requests = listenForStop(terminal);
  requests.kill.addEventListener('abort', () => terminal.say('Killing everything.'));
  let said: unknown;
  const onEvent = (event: StackEvent): void => {
    if (event.kind === 'failed') said = event.error;
    if (options.json) terminal.printJson(printable(event));
    else sayStackEvent(terminal, event);
  };
  try {
    const { state, port, objectsUrl } = options;
    const stack = await LocalStack.start({ state, port, objectsUrl, supervise: true, onEvent, ...requests });
    if (options.json) {
      const { url, tokenFile, redisUrl } = stack;
      terminal.printJson({ kind: 'up', url, tokenFile, redisUrl });
    } else {
      await sayAddresses(terminal, stack);
    }
    await untilAborted(requests.stop);
    if (!options.json) {
      terminal.say('\nStopping; the worker saves its training first (Ctrl+C again kills everything).');
    }
    await stack.stop();
    return exitCodeOfStop(requests);
  } catch (error) {
    if (requests.stop.aborted) return exitCodeOfStop(requests);
    // A person was told when it happened.
    if (error === said && !options.json) return exitCodeOf(error);
    throw error;
  } finally {
    requests.release();
  }
}

/** A supervisor's SIGTERM is how it is ended in good order, as it starts too. */
function exitCodeOfStop(requests: StopRequests): number {
  return requests.bySignal() === 'SIGTERM' && !requests.kill.aborted ? 0 : requests.exitCode();
}

const WONDER_AFTER_MS = 5_000;

/** The event as JSON can say it: an Error has no fields of its own. */
function printable(event: StackEvent): object {
  return event.kind === 'failed' ? { ...event, error: errorReport(event.error) } : event;
}

/** One line for each thing that happens to a service. */
export function sayStackEvent(terminal: Terminal, event: StackEvent): void {
  switch (event.kind) {
    case 'leftover':
      return terminal.say(
        `An earlier stack was killed and left ${event.service} (process ${event.pid}) behind; stopping it.`,
      );
    case 'started':
      return undefined;
    case 'starting':
      // A start on a quiet machine is over before anybody wonders.
      if (event.afterMs < WONDER_AFTER_MS) return undefined;
      return terminal.say(
        terminal.style('dim', `${event.service.padEnd(13)} starting for ${duration(event.afterMs)}: ${event.stage}`),
      );
    case 'unrecorded':
      return terminal.say(
        `Which process ${event.service} is (${event.pid}) cannot be written down: ${event.why}. Trying again every ${duration(event.retryEveryMs)}; if this were killed until then, ${event.service} would have to be stopped by hand.`,
      );
    case 'ready':
      return terminal.say(`${event.service.padEnd(13)} ready after ${duration(event.afterMs)} (process ${event.pid})`);
    case 'died': {
      const next = event.restartInMs === null ? '' : `; starting it again in ${duration(event.restartInMs)}`;
      terminal.say(
        terminal.style('red', `${event.service} (process ${event.exit.pid}) died: ${event.exit.how}${next}`),
      );
      for (const line of event.exit.lastLines) terminal.say(`    ${line}`);
      return terminal.say(`    (from ${relative('.', event.logFile)})`);
    }
    case 'failed':
      sayError(terminal, event.error);
      return event.restartInMs === null
        ? undefined
        : terminal.say(`Trying ${event.service} again in ${duration(event.restartInMs)}.`);
    case 'stopped':
      return terminal.say(`${event.service.padEnd(13)} stopped (${event.exit.how})`);
  }
}

/** Where the page, the API, the token and the logs are. */
export async function sayAddresses(terminal: Terminal, stack: LocalStack): Promise<void> {
  const rows = [
    ['dashboard', `${stack.url}/#token=${await stack.token()}`],
    ['API', `${stack.url}/v1 (described at ${stack.url}/openapi.json)`],
    ['token', relative('.', stack.tokenFile)],
    ['logs', `${relative('.', stack.state)}/logs/`],
  ];
  terminal.say('');
  for (const [name = '', value = ''] of rows) terminal.say(`  ${terminal.style('bold', name.padEnd(11))}${value}`);
  terminal.say('\nCtrl+C stops everything.');
}
