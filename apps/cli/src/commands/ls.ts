import type { Client } from '@longrun/client';
import {
  type DatasetSummary,
  type ExperimentQueryInput,
  type ExperimentSummary,
  nameText,
  restarts,
  visibleLine,
} from '@longrun/contracts';

import { ago, size } from '../output/amounts.js';
import { statusText } from '../output/status-text.js';
import { table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { type ExperimentFilters, filterQuery } from './experiment-filters.js';

/** What `longrun ls` lists. */
export interface ListOptions extends ExperimentFilters, Pick<ExperimentQueryInput, 'sort'> {
  readonly datasets: boolean;
  readonly json: boolean;
  /** The first so many; undefined: all. */
  readonly limit: number | undefined;
  /** What is shown of each experiment: names of columns, and of metrics. */
  readonly columns: readonly string[];
}

/** Lists experiments that fit, or datasets, newest first unless they are sorted otherwise. */
export async function list(client: Client, terminal: Terminal, options: ListOptions): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY } = options;
  if (options.datasets) {
    const items = await first(limit, (page) => client.datasets.list(page));
    if (options.json) return terminal.printJson(items, 2);
    if (items.length === 0) return terminal.say('There are no datasets yet; make one with `longrun submit FILE`.');
    return terminal.print(datasetTable(items, terminal));
  }
  const { sort } = options;
  const filters = filterQuery(options);
  const columns = options.columns.map(columnOf);
  const metrics =
    columns.flatMap(({ metric }) => (metric === undefined ? [] : nameText(metric))).join(',') || undefined;
  const items = await first(limit, (page) => client.experiments.list({ ...page, ...filters, sort, metrics }));
  if (options.json) return terminal.printJson(items, 2);
  if (items.length > 0) return terminal.print(experimentTable(items, columns, terminal));
  const isFiltered = Object.values(filters).some((filter) => filter !== undefined);
  return terminal.say(
    isFiltered
      ? 'No experiment fits; `longrun ls` without a filter shows all.'
      : 'There are no experiments yet; submit one with `longrun submit FILE`.',
  );
}

/** What is shown without `--columns`. */
export const DEFAULT_COLUMNS = ['id', 'name', 'status', 'program', 'step', 'speed', 'restarts', 'submitted'];

/** The first items of a paged list. */
async function first<T>(
  limit: number,
  page: (query: { cursor?: string; limit: number }) => Promise<{ items: T[]; nextCursor: string | null }>,
): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | null | undefined; cursor !== null && items.length < limit;) {
    const next = await page({ limit: Math.min(200, limit - items.length), ...(cursor !== undefined && { cursor }) });
    items.push(...next.items);
    cursor = next.nextCursor;
  }
  return items;
}

interface Column {
  readonly head: string;
  /** The metric that it shows. */
  readonly metric?: string;
  readonly isRight?: boolean;
  readonly cell: (item: ExperimentSummary, terminal: Terminal) => string;
}

const known: Readonly<Record<string, Column>> = {
  id: { head: 'ID', cell: ({ id }) => id },
  name: { head: 'NAME', cell: ({ name }) => visibleLine(name) },
  status: {
    head: 'STATUS',
    cell: (item, terminal) => `${statusText(item, terminal)}${nonFiniteMark(item, terminal)}`,
  },
  program: { head: 'PROGRAM', cell: ({ program }) => visibleLine(program) },
  datasets: {
    head: 'DATASETS',
    cell: ({ datasets }) =>
      Object.values(datasets)
        .map(({ name }) => visibleLine(name))
        .join(', '),
  },
  owner: { head: 'OWNER', cell: ({ owner }) => visibleLine(owner) },
  project: { head: 'PROJECT', cell: ({ project }) => visibleLine(project) },
  step: { head: 'STEP', isRight: true, cell: progressText },
  speed: {
    head: 'SPEED',
    isRight: true,
    cell: ({ status, progress }) =>
      status === 'running' && progress !== null ? `${Math.round(progress.stepsPerSecond)}/s` : '',
  },
  restarts: { head: 'RESTARTS', isRight: true, cell: (item) => String(restarts(item)) },
  submitted: { head: 'SUBMITTED', cell: ({ createdAt }) => ago(createdAt) },
  ended: { head: 'ENDED', cell: ({ endedAt }) => (endedAt === null ? '' : ago(endedAt)) },
};

/** A column by its name; any other name is that of a metric, with or without `metric.` before it. */
function columnOf(word: string): Column {
  const column = Object.hasOwn(known, word) ? known[word] : undefined;
  if (column !== undefined) return column;
  const metric = word.replace(/^metric\./, '');
  return {
    head: metric,
    metric,
    isRight: true,
    cell: ({ metrics }) =>
      metrics[metric] === null || metrics[metric] === undefined ? '' : numberText(metrics[metric]),
  };
}

/** To six digits, which tell runs apart. */
export function numberText(value: number | string): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : value;
}

function experimentTable(items: readonly ExperimentSummary[], columns: readonly Column[], terminal: Terminal): string {
  const rows = items.map((item) => columns.map(({ cell }) => cell(item, terminal)));
  return table(
    columns.map(({ head }) => head),
    rows,
    { right: columns.filter(({ isRight }) => isRight === true).map(({ head }) => head), width: terminal.resultColumns },
  );
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
