import type { DatasetStatus, ExperimentStatus, ReasonCode } from '@longrun/contracts';
import type { ReactNode } from 'react';

type Status = ExperimentStatus | DatasetStatus;

const looks: Readonly<Record<Status, { readonly pill: string; readonly dot: string }>> = {
  queued: {
    pill: 'bg-slate-100 text-slate-700 dark:bg-slate-400/15 dark:text-slate-300',
    dot: 'bg-slate-400',
  },
  running: {
    pill: 'bg-sky-100 text-sky-800 dark:bg-sky-400/15 dark:text-sky-300',
    dot: 'bg-sky-500 animate-pulse',
  },
  paused: {
    pill: 'bg-violet-100 text-violet-800 dark:bg-violet-400/15 dark:text-violet-300',
    dot: 'bg-violet-500',
  },
  converting: {
    pill: 'bg-sky-100 text-sky-800 dark:bg-sky-400/15 dark:text-sky-300',
    dot: 'bg-sky-500 animate-pulse',
  },
  succeeded: {
    pill: 'bg-emerald-100 text-emerald-800 dark:bg-emerald-400/15 dark:text-emerald-300',
    dot: 'bg-emerald-500',
  },
  ready: {
    pill: 'bg-emerald-100 text-emerald-800 dark:bg-emerald-400/15 dark:text-emerald-300',
    dot: 'bg-emerald-500',
  },
  failed: { pill: 'bg-red-100 text-red-800 dark:bg-red-400/15 dark:text-red-300', dot: 'bg-red-500' },
  cancelled: {
    pill: 'bg-amber-100 text-amber-800 dark:bg-amber-400/15 dark:text-amber-300',
    dot: 'bg-amber-500',
  },
};

/** A status, with its reason where that says more. */
export function StatusPill({
  status,
  reason,
}: {
  readonly status: Status;
  readonly reason: ReasonCode | null;
}): ReactNode {
  const { pill, dot } = looks[status];
  const saysMore = reason !== null && reason !== 'succeeded' && reason !== status;
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-medium whitespace-nowrap ${pill}`}
    >
      <span className={`size-1.5 rounded-full ${dot}`} aria-hidden="true" />
      {status}
      {saysMore && <span className="font-normal opacity-80">· {reason.replaceAll('_', ' ')}</span>}
    </span>
  );
}
