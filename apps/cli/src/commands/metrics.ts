import type { Client } from '@longrun/client';
import type { Metric } from '@longrun/contracts';

import { table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { numberText } from './ls.js';
import { resolveExperiment } from './reference.js';

/** What `longrun metrics` shows. */
export interface MetricsOptions {
  /** What the experiment is called by. */
  readonly id: string;
  /** Of which metric the points are wanted; undefined: what there is of each. */
  readonly name: string | undefined;
  readonly json: boolean;
  readonly maxPoints?: number | undefined;
}

/** Shows the metrics of an experiment, or the points of one of them. */
export async function metrics(client: Client, terminal: Terminal, options: MetricsOptions): Promise<void> {
  const { name, json, maxPoints } = options;
  const id = await resolveExperiment(client, options.id);
  if (name === undefined) {
    const { items } = await client.metrics.list(id);
    if (json) return terminal.printJson(items, 2);
    if (items.length === 0) return terminal.say('It has logged no numbers yet.');
    return terminal.print(metricTable(items, terminal));
  }
  const series = await client.metrics.series(id, name, maxPoints);
  if (json) return terminal.printJson(series, 2);
  const rows = series.steps.map((step, index) => [String(step), String(series.values[index])]);
  terminal.print(table(['STEP', series.name], rows, { right: ['STEP', series.name] }));
  const { count, nonFinite } = series;
  if (rows.length < count) terminal.say(`These are ${rows.length} of ${count} points; --max-points gives more.`);
  if (nonFinite > 0) terminal.say(`Of all ${count} values ${nonFinite} are NaN or infinite.`);
}

function metricTable(items: readonly Metric[], terminal: Terminal): string {
  const rows = items.map((metric) => [
    metric.name,
    numberText(metric.last),
    String(metric.lastStep),
    ...[metric.min, metric.max].flatMap((best) =>
      best === null ? ['', ''] : [numberText(best.value), String(best.step)],
    ),
    String(metric.count),
    metric.nonFinite === 0 ? '' : String(metric.nonFinite),
  ]);
  const head = ['METRIC', 'LAST', 'LAST AT', 'MIN', 'MIN AT', 'MAX', 'MAX AT', 'POINTS', 'NOT FINITE'];
  return table(head, rows, { right: head.slice(1), width: terminal.resultColumns });
}
