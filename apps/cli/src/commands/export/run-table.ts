import { decodeNumber, type ExportedExperiment, type Json, type JsonObject, type Metric } from '@longrun/contracts';

import { type Cell, type CellKind, cellOf, type Column, commonKind, type Row } from './cell.js';

/** The columns of a table of runs: those that every run has, then those of datasets, parameters and metrics that any of them has. */
export class RunColumns {
  readonly #kinds = new Map<string, CellKind>();

  /** Counts a row in. */
  add(row: Row): void {
    for (const [name, { kind }] of row) {
      const known = this.#kinds.get(name);
      this.#kinds.set(name, known === undefined ? kind : commonKind(known, kind));
    }
  }

  /** In their order. */
  get all(): Column[] {
    const others = [...this.#kinds.keys()].filter((name) => !Object.hasOwn(OF_EVERY_RUN, name));
    const sorted = others.toSorted((one, two) => groupOf(one) - groupOf(two) || (one < two ? -1 : 1));
    return [
      ...Object.entries(OF_EVERY_RUN).map(([name, kind]) => ({ name, kind })),
      ...sorted.map((name) => ({ name, kind: this.#kinds.get(name) ?? 'text' })),
    ];
  }
}

const OF_EVERY_RUN = {
  id: 'text',
  name: 'text',
  status: 'text',
  reason: 'text',
  message: 'text',
  owner: 'text',
  project: 'text',
  program: 'text',
  programSha256: 'text',
  'from.experiment': 'text',
  'from.step': 'integer',
  seed: 'integer',
  tags: 'json',
  notes: 'text',
  createdAt: 'moment',
  startedAt: 'moment',
  endedAt: 'moment',
  step: 'integer',
  attempts: 'integer',
  failures: 'integer',
  preemptions: 'integer',
  losses: 'integer',
} satisfies Record<string, CellKind>;

type OfEveryRun = keyof typeof OF_EVERY_RUN;

/** What the columns of datasets, parameters and metrics begin with, in their order. */
const GROUPS = ['datasets.', 'params.', 'metrics.'];

function groupOf(column: string): number {
  return GROUPS.findIndex((group) => column.startsWith(group));
}

/** A run as a row of that table. What is null in it is missing in the row, but for a parameter that is null. */
export function rowOf(run: ExportedExperiment): Row {
  const { spec, from, progress } = run;
  const row = new Map<string, Cell>();
  const values: Record<OfEveryRun, Json | undefined> = {
    id: run.id,
    name: run.name,
    status: run.status,
    reason: run.reason,
    message: run.message,
    owner: run.owner,
    project: run.project,
    program: run.program,
    programSha256: run.programSha256,
    'from.experiment': from?.experiment,
    'from.step': from?.step,
    seed: spec.seed,
    tags: spec.tags,
    notes: spec.notes,
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    step: progress?.step,
    attempts: run.attempts,
    failures: run.failures,
    preemptions: run.preemptions,
    losses: run.losses,
  };
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== null) row.set(name, cellOf(value));
  for (const name of MOMENTS) {
    const cell = row.get(name);
    if (cell?.kind === 'text') row.set(name, { kind: 'moment', value: cell.value });
  }
  for (const [role, dataset] of Object.entries(run.datasets)) {
    row.set(`datasets.${role}`, cellOf(dataset.name));
    row.set(`datasets.${role}.id`, cellOf(dataset.id));
  }
  addParams(row, 'params', spec.params);
  const scored = spec.checkpoint.keepBest;
  for (const metric of run.metrics) addMetric(row, metric, scored?.record === metric.name ? scored.mode : undefined);
  return row;
}

const MOMENTS = ['createdAt', 'startedAt', 'endedAt'] as const;

/** Each value that is no object has a column, which is called by the keys that lead there. */
function addParams(row: Map<string, Cell>, path: string, params: JsonObject): void {
  for (const [key, value] of Object.entries(params)) {
    const name = `${path}.${/^[^."]+$/.test(key) ? key : JSON.stringify(key)}`;
    if (isFull(value)) addParams(row, name, value);
    else row.set(name, cellOf(value));
  }
}

function isFull(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
}

/** @param mode how its values are compared where checkpoints are kept by it */
function addMetric(row: Map<string, Cell>, metric: Metric, mode: 'min' | 'max' | undefined): void {
  const { name, last, lastStep, min, max } = metric;
  const add = (facet: string, value: number | undefined, step: number | undefined): void => {
    if (value === undefined || step === undefined) return;
    row.set(`metrics.${name}.${facet}`, { kind: 'number', value });
    row.set(`metrics.${name}.${facet}Step`, { kind: 'integer', value: step });
  };
  add('last', decodeNumber(last), lastStep);
  add('min', min?.value, min?.step);
  add('max', max?.value, max?.step);
  if (mode === undefined) return;
  const best = mode === 'min' ? min : max;
  add('best', best?.value, best?.step);
}
