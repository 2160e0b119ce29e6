import {
  encodeNumber,
  likestFirst,
  MAX_FAULTS,
  type Metric,
  type MetricList,
  type MetricSeries,
  type MetricSeriesList,
} from '@longrun/contracts';

import { type Points, thin } from '../record/log-digest.js';
import { readPoints } from '../record/metric-points.js';
import type { PlatformRecord } from '../record/record.js';
import type { MetricRow } from '../record/tables.js';
import { absence } from './life-reading.js';
import { refused } from './request-refused.js';

/** What users ask of the numbers that experiments have logged, as they count now. Every method that refuses throws `RequestRefused`. */
export class Metrics {
  readonly #record: PlatformRecord;

  constructor(options: { readonly record: PlatformRecord }) {
    this.#record = options.record;
  }

  /** The metrics of an experiment, by name. Refused when there is none with this id. */
  async list(id: string): Promise<MetricList> {
    const rows = await this.#record.db.selectFrom('metrics').selectAll().where('id', '=', id).execute();
    if (rows.length === 0) await this.#refuseUnknown([id], 'id');
    return { items: rows.map(metricView).toSorted((one, two) => (one.name < two.name ? -1 : 1)) };
  }

  /** Points of one metric of an experiment, at most so many. Refused when there is no such experiment, or it has not logged the metric. */
  async series(id: string, name: string, maxPoints: number): Promise<MetricSeries> {
    await this.#refuseUnknown([id], 'id');
    const [found] = await readPoints(this.#record.db, { ids: [id], names: [name], atLeast: maxPoints });
    if (found !== undefined) return seriesView(id, name, thin(found.points, maxPoints));
    const known = (await this.list(id)).items.map((metric) => metric.name);
    const near = likestFirst(name, known, 5);
    const facts = { experiment: id, metric: name, near, others: known.length - near.length };
    throw refused('not-found', [{ path: [], parameter: 'name', code: 'metric-unknown', facts }]);
  }

  /** Points of one metric of several experiments, in their order, at most so many of each. Refused when one of them does not exist. */
  async seriesOf(ids: readonly string[], name: string, maxPoints: number): Promise<MetricSeriesList> {
    await this.#refuseUnknown(ids, 'experiments');
    const found = await readPoints(this.#record.db, { ids, names: [name], atLeast: maxPoints });
    const points = new Map(found.map((one) => [one.id, one.points]));
    return { items: ids.map((id) => seriesView(id, name, thin(points.get(id) ?? NO_POINTS, maxPoints))) };
  }

  async #refuseUnknown(ids: readonly string[], parameter: 'id' | 'experiments'): Promise<void> {
    const rows = await this.#record.db.selectFrom('experiments').select('id').where('id', 'in', ids).execute();
    const known = new Set(rows.map(({ id }) => id));
    const unknown = ids.filter((id) => !known.has(id));
    if (unknown.length === 0) return;
    const faults = unknown.slice(0, MAX_FAULTS).map((id) => absence(this.#record.db, 'experiment', id, parameter));
    throw refused('not-found', await Promise.all(faults));
  }
}

const NO_POINTS: Points = { steps: new Float64Array(), values: new Float64Array(), count: 0, nonFinite: 0 };

function metricView({ name, count, nonFinite, last, lastStep, min, minStep, max, maxStep }: MetricRow): Metric {
  return {
    name,
    count,
    nonFinite,
    last: encodeNumber(last),
    lastStep,
    min: min === null || minStep === null ? null : { value: min, step: minStep },
    max: max === null || maxStep === null ? null : { value: max, step: maxStep },
  };
}

function seriesView(experiment: string, name: string, { steps, values, count, nonFinite }: Points): MetricSeries {
  return { experiment, name, count, nonFinite, steps: [...steps], values: Array.from(values, encodeNumber) };
}
