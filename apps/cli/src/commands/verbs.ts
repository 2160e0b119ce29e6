import type { Client } from '@longrun/client';
import {
  type ExperimentChange,
  type ExperimentView,
  type Hyperparameters,
  settingText,
  visibleLine,
} from '@longrun/contracts';

import { statusText } from '../output/status-text.js';
import type { Terminal } from '../output/terminal.js';
import { resolveExperiment } from './reference.js';

interface VerbOutput {
  /** The experiment, as the API answers it. */
  readonly json: boolean;
}

/** Has a running experiment give its machine back. */
export async function preempt(client: Client, terminal: Terminal, text: string, output: VerbOutput): Promise<void> {
  const view = await client.experiments.act(await resolveExperiment(client, text), 'preempt');
  print(terminal, view, output, view.status === 'running' ? 'it gives its machine back at its next step boundary' : '');
}

/** Has an experiment give its machine back, and wait until it is resumed. */
export async function pause(client: Client, terminal: Terminal, text: string, output: VerbOutput): Promise<void> {
  const view = await client.experiments.act(await resolveExperiment(client, text), 'pause');
  print(terminal, view, output, view.pauseRequested ? 'it is paused at its next step boundary' : '');
}

/** Queues a paused experiment again. */
export async function resume(client: Client, terminal: Terminal, text: string, output: VerbOutput): Promise<void> {
  print(terminal, await client.experiments.act(await resolveExperiment(client, text), 'resume'), output, '');
}

/** Queues an experiment again that has failed or was cancelled. */
export async function retry(client: Client, terminal: Terminal, text: string, output: VerbOutput): Promise<void> {
  const view = await client.experiments.act(await resolveExperiment(client, text), 'retry');
  const step = view.checkpoints[0]?.step;
  print(
    terminal,
    view,
    output,
    step === undefined ? 'it begins anew' : `it goes on from its newest checkpoint, ${step}`,
  );
}

/** Has hyperparameters set, and says when. */
export async function set(
  client: Client,
  terminal: Terminal,
  text: string,
  output: VerbOutput & { readonly values: Hyperparameters },
): Promise<void> {
  const view = await client.experiments.set(await resolveExperiment(client, text), output.values);
  const setting = view.settings.at(-1);
  print(terminal, view, output, setting === undefined ? '' : settingText(setting));
}

/** Changes notes, tags or priority of an experiment, and says what it has now. */
export async function change(
  client: Client,
  terminal: Terminal,
  text: string,
  output: VerbOutput & { readonly change: ExperimentChange },
): Promise<void> {
  const view = await client.experiments.change(await resolveExperiment(client, text), output.change);
  const { tags = [], notes, priority } = view.spec;
  const facts = [
    `priority ${priority}`,
    tags.length === 0 ? 'no tags' : `tags ${tags.map((tag) => visibleLine(tag)).join(', ')}`,
    ...(notes === undefined ? [] : [`notes: ${visibleLine(notes)}`]),
  ];
  print(terminal, view, output, facts.join('; '));
}

/** An experiment in a line, and what happens with it next. */
function print(terminal: Terminal, view: ExperimentView, { json }: VerbOutput, next: string): void {
  if (json) return terminal.printJson(view, 2);
  const then = next === '' ? '' : `; ${next}`;
  terminal.print(`${view.id}  ${visibleLine(view.name)}  ${statusText(view, terminal)}${then}`);
}
