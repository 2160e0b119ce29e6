import { type AttemptView, engineText, type ExperimentView } from '@longrun/contracts';
import type { ReactNode } from 'react';

import { count, duration, size } from '../amounts.js';
import { Card, Table } from './card.js';

/** The tries at a run, oldest first. */
export function Attempts({
  attempts,
  now,
}: Pick<ExperimentView, 'attempts'> & {
  /** In milliseconds of the calendar. */
  readonly now: number;
}): ReactNode {
  return (
    <Card title="Attempts">
      <Table
        columns={[
          { title: '#', isNumber: true },
          { title: 'End' },
          { title: 'Steps' },
          { title: 'Time', isNumber: true },
          { title: 'Memory', isNumber: true },
          { title: 'Worker' },
          { title: 'Engine' },
        ]}
        rows={attempts.map((attempt) => ({
          key: String(attempt.fence),
          cells: [
            attempt.fence,
            <End key="end" attempt={attempt} />,
            attempt.startStep === null
              ? '–'
              : `${count(attempt.startStep)} → ${attempt.lastStep === null ? '?' : count(attempt.lastStep)}`,
            <span key="time" className="whitespace-nowrap">
              {took(attempt, now)}
            </span>,
            attempt.peakMemoryBytes === null || attempt.peakMemoryBytes === 0 ? '–' : size(attempt.peakMemoryBytes),
            attempt.workerId ?? '–',
            engineText(attempt) || '–',
          ],
        }))}
      />
    </Card>
  );
}

function End({ attempt: { reason, status, message } }: { readonly attempt: AttemptView }): ReactNode {
  return (
    <>
      <span className="whitespace-nowrap">{(reason ?? status).replaceAll('_', ' ')}</span>
      {message !== null && <p className="max-w-md break-words text-soft">{message}</p>}
    </>
  );
}

function took({ startedAt, endedAt }: AttemptView, now: number): string {
  if (startedAt === null) return '–';
  const end = endedAt === null ? now : Date.parse(endedAt);
  return duration(Math.max(0, end - Date.parse(startedAt)));
}
