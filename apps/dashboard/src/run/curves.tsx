import { decodeNumber, type Metric, type MetricSeries } from '@longrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';

import { api } from '../api.js';
import { REFRESH_MS } from '../liveness.js';
import { Card } from './card.js';
import { Chart } from './chart.js';

/** No chart shows more. */
const MOST_POINTS = 1_000;
/** Curves that are shown without being asked for. */
const SHOWN_AT_FIRST = 6;

/** What a run has logged as numbers, as curves. */
export function Curves({
  id,
  metrics,
  isLive,
}: {
  readonly id: string;
  readonly metrics: readonly Metric[];
  /** Whether more may be logged. */
  readonly isLive: boolean;
}): ReactNode {
  const [showsAll, setShowsAll] = useState(false);
  // A single value is no curve.
  const curves = metrics.filter(({ count }) => count > 1);
  const shown = showsAll ? curves : curves.slice(0, SHOWN_AT_FIRST);
  return (
    <Card
      title="Curves"
      aside={
        curves.length > SHOWN_AT_FIRST && (
          <button
            type="button"
            onClick={() => setShowsAll(!showsAll)}
            className="cursor-pointer rounded text-sm text-soft hover:text-ink"
          >
            {showsAll ? 'Show fewer' : `Show all ${curves.length}`}
          </button>
        )
      }
    >
      {curves.length === 0 ? (
        <p className="rounded-xl border border-line bg-card px-5 py-8 text-center text-sm text-soft">
          Nothing has been logged twice yet.
        </p>
      ) : (
        <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
          {shown.map((metric) => (
            <Curve key={metric.name} id={id} metric={metric} isLive={isLive} />
          ))}
        </div>
      )}
    </Card>
  );
}

function Curve({ id, metric, isLive }: { readonly id: string; readonly metric: Metric; readonly isLive: boolean }) {
  const { name, last, min } = metric;
  const { data } = useQuery({
    queryKey: ['series', id, name],
    queryFn: ({ signal }) => api.metrics.series(id, name, MOST_POINTS, signal),
    refetchInterval: isLive ? REFRESH_MS : false,
  });
  const { steps, values } = useMemo(() => points(data), [data]);
  return (
    <figure className="min-w-0 rounded-xl border border-line bg-card p-3 shadow-sm">
      <figcaption className="mb-1 flex items-baseline justify-between gap-3 text-sm">
        <span className="truncate font-medium" title={name}>
          {name}
        </span>
        <span className="whitespace-nowrap text-soft tabular-nums" title={min === null ? '' : `lowest: ${min.value}`}>
          {shortNumber(decodeNumber(last) ?? NaN)}
        </span>
      </figcaption>
      <Chart name={name} steps={steps} values={values} />
    </figure>
  );
}

function points(series: MetricSeries | undefined): { steps: readonly number[]; values: readonly (number | null)[] } {
  const values = (series?.values ?? []).map((value) => {
    const number = decodeNumber(value);
    return number !== undefined && Number.isFinite(number) ? number : null;
  });
  return { steps: series?.steps ?? [], values };
}

/** `0.0123`, `1.23e-7`, `12,345` */
function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2);
  return value.toLocaleString('en-US', { maximumSignificantDigits: size >= 1_000 ? 7 : 4 });
}
