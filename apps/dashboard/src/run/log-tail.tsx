import type { StoredLogRow } from '@longrun/contracts';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { api } from '../api.js';
import { REFRESH_MS } from '../liveness.js';
import { Card, Table } from './card.js';

/** Rows that are shown, and how many steps back they are looked for. */
const ROWS = 10;

/** The newest rows of a run's log. */
export function LogTail({
  id,
  step,
  isLive,
}: {
  readonly id: string;
  /** The newest step that was logged. */
  readonly step: number;
  readonly isLive: boolean;
}): ReactNode {
  const { data } = useQuery({
    queryKey: ['log', id, isLive ? 'newest' : step],
    queryFn: ({ signal }) => api.experiments.log(id, { after: Math.max(-1, step - ROWS), limit: 100 }, signal),
    refetchInterval: isLive ? REFRESH_MS : false,
  });
  const rows = (data?.items ?? []).slice(-ROWS).toReversed();
  if (rows.length === 0) return null;
  return (
    <Card title="Log">
      <Table
        columns={[{ title: 'Step', isNumber: true }, { title: 'Row' }]}
        rows={rows.map((row) => ({
          key: String(row.step),
          cells: [row.step, <Records key="row" row={row} />],
        }))}
      />
    </Card>
  );
}

function Records({ row: { row } }: { readonly row: StoredLogRow }): ReactNode {
  return (
    <dl className="flex flex-wrap gap-x-4 gap-y-0.5 font-mono text-xs leading-5">
      {Object.entries(row).map(([name, value]) => (
        <div key={name} className="flex gap-1.5">
          <dt className="text-soft">{name}</dt>
          <dd className="max-w-xs truncate">{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
