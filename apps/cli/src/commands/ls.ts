import { type DatasetSummary, type ExperimentSummary, restarts, visibleLine } from '@longrun/contracts';

import type { Client } from '../client.js';
import { ago, size } from '../output/amounts.js';
import { statusText } from '../output/status-text.js';
import { table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { all } from './reference.js';

/** What `longrun ls` lists. */
export interface ListOptions {
  readonly datasets: boolean;
  readonly json: boolean;
  /** The newest so many; undefined: all. */
  readonly limit: number | undefined;
}

/** Lists experiments, or datasets, newest first. */
export async function list(client: Client, terminal: Terminal, options: ListOptions): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY } = options;
  if (options.datasets) {
    const items = await newest(limit, (query) => client.datasets(query));
    if (options.json) return terminal.printJson(items, 2);
    if (items.length === 0) return terminal.say('There are no datasets yet; make one with `longrun submit FILE`.');
    return terminal.print(datasetTable(items, terminal));
  }
  const items = await newest(limit, (query) => client.experiments(query));
  if (options.json) return terminal.printJson(items, 2);
  if (items.length === 0) return terminal.say('There are no experiments yet; submit one with `longrun submit FILE`.');
  return terminal.print(experimentTable(items, terminal));
}

async function newest<T>(
  limit: number,
  page: (query: { cursor?: string; limit: number }) => Promise<{ items: T[]; nextCursor: string | null }>,
): Promise<T[]> {
  if (limit > 200) return (await all((cursor) => page({ ...cursor, limit: 200 }))).slice(0, limit);
  return (await page({ limit })).items;
}

function experimentTable(items: readonly ExperimentSummary[], terminal: Terminal): string {
  const rows = items.map((item) => [
    item.id,
    visibleLine(item.name),
    `${statusText(item, terminal)}${nonFiniteMark(item, terminal)}`,
    item.spec.program,
    progressText(item),
    item.status === 'running' && item.progress !== null ? `${Math.round(item.progress.stepsPerSecond)}/s` : '',
    String(restarts(item)),
    ago(item.createdAt),
  ]);
  return table(['ID', 'NAME', 'STATUS', 'PROGRAM', 'STEP', 'SPEED', 'RESTARTS', 'SUBMITTED'], rows, {
    right: ['STEP', 'SPEED', 'RESTARTS'],
    width: terminal.resultColumns,
  });
}

function nonFiniteMark({ nonFinite }: ExperimentSummary, terminal: Terminal): string {
  return nonFinite === null ? '' : ` ${terminal.style('red', `${nonFinite.record} ${nonFinite.value}`)}`;
}

function progressText({ progress }: ExperimentSummary): string {
  if (progress === null) return '';
  return progress.totalSteps === undefined ? String(progress.step) : `${progress.step}/${progress.totalSteps}`;
}

function datasetTable(items: readonly DatasetSummary[], terminal: Terminal): string {
  const rows = items.map((item) => [
    item.id,
    visibleLine(item.name),
    statusText(item, terminal),
    item.spec.converter,
    splitsText(item.result?.description.splits ?? {}),
    item.result === null ? '' : size(item.result.sizeBytes),
    ago(item.createdAt),
  ]);
  return table(['ID', 'NAME', 'STATUS', 'CONVERTER', 'EXAMPLES', 'SIZE', 'SUBMITTED'], rows, {
    right: ['SIZE'],
    width: terminal.resultColumns,
  });
}

/** `train 60000, test 10000`, the largest first: the record keeps no order. */
export function splitsText(splits: Readonly<Record<string, number>>): string {
  return Object.entries(splits)
    .toSorted(([, one], [, other]) => other - one)
    .map(([split, examples]) => `${split} ${examples}`)
    .join(', ');
}
