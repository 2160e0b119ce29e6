import type { ExperimentStatus } from '@longrun/contracts';
import type { ReactNode } from 'react';

/** How many experiments have each status; pressing one shows only those. */
export function StatusFilter({
  counts,
  selected,
  onSelect,
}: {
  readonly counts: ReadonlyMap<ExperimentStatus, number>;
  readonly selected: ExperimentStatus | undefined;
  readonly onSelect: (status: ExperimentStatus | undefined) => void;
}): ReactNode {
  const shown = [...counts].filter(([status, number]) => number > 0 || status === selected);
  if (shown.length < 2 && selected === undefined) return null;
  return (
    <div role="group" aria-label="Show only" className="flex flex-wrap gap-1.5">
      {shown.map(([status, number]) => (
        <button
          key={status}
          type="button"
          aria-pressed={status === selected}
          onClick={() => onSelect(status === selected ? undefined : status)}
          className="cursor-pointer rounded-full border border-line bg-card px-3 py-1 text-xs hover:bg-track aria-pressed:border-accent aria-pressed:text-accent"
        >
          {status} <span className="ml-0.5 text-soft tabular-nums">{number}</span>
        </button>
      ))}
    </div>
  );
}
