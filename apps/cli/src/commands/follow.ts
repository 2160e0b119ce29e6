import type { Client } from '@longrun/client';
import { type DatasetView, isTerminalDataset, type LiveEvent, visibleLine } from '@longrun/contracts';

import { duration } from '../output/amounts.js';
import { eventText } from '../output/event-text.js';
import { statusText } from '../output/status-text.js';
import type { Terminal } from '../output/terminal.js';
import { ENDED, exitCodeOfStatus } from './ended.js';
import type { Reference } from './reference.js';
import { listenForStop } from './stop-requests.js';

/** How something is shown while it goes on. */
export interface FollowOutput {
  /** Of an experiment one JSON event a line, the API's own; of a dataset its last state. */
  readonly json: boolean;
}

/**
 * Prints what happens to an experiment or a dataset until it has ended. Ctrl+C ends this and not what is followed, which is
 * said. The exit code: one of {@link ENDED}, or 130 after Ctrl+C.
 */
export async function follow(
  client: Client,
  terminal: Terminal,
  { kind, id }: Reference,
  output: FollowOutput,
): Promise<number> {
  const requests = listenForStop();
  try {
    return kind === 'experiment'
      ? await followExperiment(client, terminal, id, output, requests.stop)
      : await followDataset(client, terminal, id, output, requests.stop);
  } catch (error) {
    if (!requests.stop.aborted) throw error;
    terminal.say(`\n${id} goes on. Follow it again: longrun logs -f ${id}. End it: longrun cancel ${id}.`);
    return requests.exitCode();
  } finally {
    requests.release();
  }
}

async function followExperiment(
  client: Client,
  terminal: Terminal,
  id: string,
  output: FollowOutput,
  signal: AbortSignal,
): Promise<number> {
  const connection = new ConnectionNews(client, terminal);
  let exitCode: number = ENDED.notYet;
  for await (const event of client.experiments.follow(id, { onDisconnect: connection.lost, signal })) {
    connection.serves();
    printEvent(terminal, event, output);
    if (event.type === 'status') exitCode = exitCodeOfStatus(event.data.status, event.data.reason);
  }
  return exitCode;
}

/** Prints an event of an experiment as a line, if it is one. */
export function printEvent(terminal: Terminal, event: LiveEvent, { json }: FollowOutput): void {
  if (json) return terminal.printJson(event);
  const line = eventText(event, terminal);
  if (line !== undefined) terminal.print(line);
}

async function followDataset(
  client: Client,
  terminal: Terminal,
  id: string,
  { json }: FollowOutput,
  signal: AbortSignal,
): Promise<number> {
  const connection = new ConnectionNews(client, terminal);
  let said = '';
  let exitCode: number = ENDED.notYet;
  for await (const view of client.datasets.lookAt(id, { onDisconnect: connection.lost, signal })) {
    connection.serves();
    const text = datasetLine(view, terminal);
    if (!json && text !== said) terminal.print(text);
    said = text;
    if (!isTerminalDataset(view.status)) continue;
    if (json) terminal.printJson(view, 2);
    const news = endText(view);
    if (news !== null) terminal.say(news);
    exitCode = exitCodeOfStatus(view.status, view.reason);
  }
  return exitCode;
}

/** Says once that the API is lost, and once that it is there again. */
export class ConnectionNews {
  readonly #client: Client;
  readonly #terminal: Terminal;
  #isLost = false;

  constructor(client: Client, terminal: Terminal) {
    this.#client = client;
    this.#terminal = terminal;
  }

  readonly lost = (_cause: unknown, pauseMs: number): void => {
    if (!this.#isLost) {
      this.#terminal.say(`longrun: lost the API at ${this.#client.url}; trying again (in ${duration(pauseMs)} first)`);
    }
    this.#isLost = true;
  };

  serves(): void {
    if (this.#isLost) this.#terminal.say('longrun: connected again');
    this.#isLost = false;
  }
}

/** What there is to say of the end of a dataset. */
function endText({ status, message, predecessor, result }: DatasetView): string | null {
  if (status === 'failed') return message;
  if (result?.sameAs != null) return `The raw files are those of ${result.sameAs}, which has the name again.`;
  return predecessor?.sameContent === true
    ? `Its file is the same, byte for byte, as that of ${predecessor.id}.`
    : null;
}

/** Where a dataset stands, and how far its conversion is. */
export function datasetLine(view: DatasetView, terminal: Terminal): string {
  return `${view.id}  ${visibleLine(view.name)}  ${statusText(view, terminal)}${progressText(view)}`;
}

function progressText({ progress, status }: DatasetView): string {
  if (progress === null || isTerminalDataset(status)) return '';
  const share =
    progress.total === undefined || progress.total === 0
      ? ''
      : `, ${Math.floor((100 * progress.done) / progress.total)} %`;
  return `: ${progress.phase} ${visibleLine(progress.what)}${share}`;
}
