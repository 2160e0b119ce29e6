import { setTimeout as sleep } from 'node:timers/promises';

import { type DatasetView, isTerminalDataset, visibleJson, visibleLine, visibleText } from '@longrun/contracts';

import type { Client } from '../client.js';
import { statusText } from '../output/status-text.js';
import type { Terminal } from '../output/terminal.js';
import { parseOverride } from '../override.js';
import { readSpecFile } from '../spec-file.js';
import { logs } from './logs.js';

/** How a spec is submitted. */
export interface SubmitOptions {
  /** `path=value`, in order. */
  readonly set: readonly string[];
  /** Stay until it has ended. */
  readonly follow: boolean;
  readonly json: boolean;
  /** The same key submits at most once. Default: a new one. */
  readonly idempotencyKey: string | undefined;
  /** Pause between two looks at a dataset that is followed. Default 500. */
  readonly pollMs?: number;
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
  if (submission.kind === 'dataset') {
    const dataset = await client.submitDataset(submission.spec, key);
    if (!options.follow) {
      terminal.print(
        options.json ? visibleJson(dataset, 2) : `${dataset.id}  ${dataset.name}  ${statusText(dataset, terminal)}`,
      );
      return dataset.status === 'failed' ? 1 : 0;
    }
    return await followDataset(client, terminal, dataset, options);
  }
  const experiment = await client.submitExperiment(submission.spec, key);
  if (!options.follow) {
    terminal.print(
      options.json
        ? visibleJson(experiment, 2)
        : `${experiment.id}  ${visibleLine(experiment.name)}  ${statusText(experiment, terminal)}`,
    );
    if (!options.json) terminal.say(`follow it with: longrun logs -f ${experiment.id}`);
    return 0;
  }
  terminal.say(`${experiment.id}  ${visibleLine(experiment.name)}  ${statusText(experiment, terminal)}`);
  return await logs(client, terminal, experiment.id, { follow: true, json: options.json });
}

async function followDataset(
  client: Client,
  terminal: Terminal,
  submitted: DatasetView,
  options: SubmitOptions,
): Promise<number> {
  let view = submitted;
  let said = '';
  for (;;) {
    const text = `${view.id}  ${view.name}  ${statusText(view, terminal)}${progressText(view)}`;
    if (!options.json && text !== said) terminal.print(text);
    said = text;
    if (isTerminalDataset(view.status)) break;
    await sleep(options.pollMs ?? 500);
    view = await client.dataset(view.id);
  }
  if (options.json) terminal.print(visibleJson(view, 2));
  if (view.status === 'failed' && view.message !== null) terminal.say(visibleText(view.message));
  return view.status === 'ready' ? 0 : 1;
}

function progressText({ progress, status }: DatasetView): string {
  if (progress === null || isTerminalDataset(status)) return '';
  const share =
    progress.total === undefined || progress.total === 0
      ? ''
      : `, ${Math.floor((100 * progress.done) / progress.total)} %`;
  return `: ${progress.phase} ${visibleLine(progress.what)}${share}`;
}
