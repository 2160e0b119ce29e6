import type { Client } from '@longrun/client';
import { type ExperimentSpecInput, type ExperimentView, isTerminal, type StoredLogRow } from '@longrun/contracts';

import { logFaults } from '../demo/verdict.js';

/** How many different experiments there are; the others are the same again. */
export const KINDS = 5;

/** A small experiment on Fashion-MNIST, that is tried again however often it is hit. */
export function smallExperiment(kind: number, name: string): ExperimentSpecInput {
  return {
    name,
    program: 'mlp',
    dataset: 'fashion-mnist',
    params: {
      dims: [784, 16, 10],
      activations: ['rectifier', 'softmax'],
      batchSize: 200,
      epochs: 1 + (kind % 3),
      learningRate: 0.002,
    },
    seed: 1 + kind,
    checkpoint: { everyBatches: 40, keepLast: 2 },
    // Whatever is done to it here is no fault of its own.
    retry: { maxFailures: 1_000, backoffMs: 100, maxPreemptions: null, maxLosses: null },
    resources: { threads: 1 },
  };
}

/** What is known of an experiment at the end. */
export interface Ended {
  readonly view: ExperimentView;
  readonly rows: readonly StoredLogRow[];
  /** How often its events say that it has ended. */
  readonly ends: number;
}

/** Reads it from the API. One that has not ended is as far as it is. */
export async function readEnded(client: Client, id: string, signal: AbortSignal): Promise<Ended> {
  const view = await client.experiments.get(id);
  const rows: StoredLogRow[] = [];
  for await (const row of client.experiments.logRows(id)) rows.push(row);
  let ends = 0;
  // Of one that goes on the events never end.
  for await (const event of isTerminal(view.status) ? client.experiments.follow(id, { signal }) : [])
    if (event.type === 'status' && isTerminal(event.data.status)) ends += 1;
  return { view, rows, ends };
}

/** In what an experiment differs from the undisturbed one of its kind; nothing when it is as it must be. */
export function wrongs({ view, rows, ends }: Ended, undisturbed: Ended): string[] {
  const wrong: string[] = [];
  if (view.status !== 'succeeded') wrong.push(`it ended as ${view.status} (${view.reason}): ${view.message}`);
  const [ours, theirs] = [view.result?.parametersSha256, undisturbed.view.result?.parametersSha256];
  if (ours === undefined || ours !== theirs) wrong.push(`its parameters are ${ours}, undisturbed ${theirs}`);
  wrong.push(...logFaults(rows, undisturbed.rows));
  if (rows.length !== undisturbed.rows.length)
    wrong.push(`its log has ${rows.length} rows, undisturbed ${undisturbed.rows.length}`);
  const successes = view.attempts.filter(({ reason }) => reason === 'succeeded').length;
  if (successes !== 1) wrong.push(`${successes} of its attempts have succeeded`);
  if (ends !== 1) wrong.push(`its events say ${ends} times that it has ended`);
  const open = view.attempts.filter(({ reason }) => reason === null);
  if (open.length > 0) wrong.push(`attempts ${open.map(({ fence }) => fence).join(', ')} have no end`);
  return wrong;
}
