import type { Client } from '@longrun/client';
import { type DatasetView, type ExperimentView, isTerminal, isTerminalDataset, visibleLine } from '@longrun/contracts';

import { statusText } from '../output/status-text.js';
import type { Terminal } from '../output/terminal.js';
import { ENDED, exitCodeOfStatus } from './ended.js';
import { ConnectionNews } from './follow.js';
import { type Reference, resolveReference } from './reference.js';
import { listenForStop } from './stop-requests.js';

/** How `longrun wait` waits. */
export interface WaitOptions {
  /** In seconds. Default: without end. */
  readonly timeout?: number;
  /** Each as one line of JSON: the API's own view. */
  readonly json: boolean;
}

type View = ExperimentView | DatasetView;

/**
 * Waits until all have ended, through restarts of the API, and prints each as it ends; what has not by the time-out is printed
 * then. Ctrl+C ends this and not what is waited for. The exit code: that of the first, as given, that has not ended well, see
 * {@link ENDED}, or 130.
 */
export async function wait(
  client: Client,
  terminal: Terminal,
  texts: readonly string[],
  { timeout, json }: WaitOptions,
): Promise<number> {
  const references: Reference[] = [];
  for (const text of texts) references.push(await resolveReference(client, text));
  const requests = listenForStop();
  const late = timeout === undefined ? undefined : AbortSignal.timeout(timeout * 1_000);
  const failure = new AbortController();
  const signal = AbortSignal.any([requests.stop, failure.signal, ...(late === undefined ? [] : [late])]);
  const news = new ConnectionNews(client, terminal);
  const print = (view: View): void => {
    if (json) terminal.printJson(view);
    else terminal.print(`${view.id}  ${visibleLine(view.name)}  ${statusText(view, terminal)}`);
  };
  const endOf = async (reference: Reference): Promise<number> => {
    let seen: View | undefined;
    try {
      for await (const view of viewsOf(client, reference, { onDisconnect: news.lost, signal })) {
        news.serves();
        seen = view;
      }
    } catch (error) {
      if (late?.aborted !== true || requests.stop.aborted) throw error;
    }
    if (seen !== undefined) print(seen);
    return seen === undefined || !hasEnded(seen) ? ENDED.notYet : exitCodeOfStatus(seen.status, seen.reason);
  };
  try {
    const codes = await Promise.all(references.map(endOf));
    if (codes.includes(ENDED.notYet) && late?.aborted === true) {
      terminal.say(`longrun: not all have ended within ${timeout} s; what has not goes on`);
    }
    return codes.find((code) => code !== ENDED.well) ?? ENDED.well;
  } catch (error) {
    // The others would be looked at for ever.
    failure.abort();
    if (!requests.stop.aborted) throw error;
    terminal.say(`\nWhat was waited for goes on. Wait again: longrun wait ${references.map(({ id }) => id).join(' ')}`);
    return requests.exitCode();
  } finally {
    requests.release();
  }
}

function viewsOf(
  client: Client,
  { kind, id }: Reference,
  options: { readonly onDisconnect: (cause: unknown, pauseMs: number) => void; readonly signal: AbortSignal },
): AsyncGenerator<View, void, undefined> {
  return kind === 'experiment' ? client.experiments.lookAt(id, options) : client.datasets.lookAt(id, options);
}

function hasEnded(view: View): boolean {
  return 'datasets' in view ? isTerminal(view.status) : isTerminalDataset(view.status);
}
