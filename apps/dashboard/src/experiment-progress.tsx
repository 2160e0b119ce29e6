import { type ExperimentSummary, isActive } from '@longrun/contracts';
import type { ReactNode } from 'react';

import { count, duration } from './amounts.js';
import { epochs, share, steps } from './experiment-facts.js';
import { ProgressBar } from './progress-bar.js';
import { StatusPill } from './status-pill.js';

/** How far it is, and since when. */
export function ExperimentProgress({
  experiment,
  now,
}: {
  readonly experiment: Pick<ExperimentSummary, 'name' | 'progress' | 'status' | 'reason' | 'startedAt' | 'endedAt'>;
  readonly now: number;
}): ReactNode {
  const { name, progress, status, reason, startedAt, endedAt } = experiment;
  const tone = status === 'succeeded' ? 'done' : isActive(status) ? 'active' : 'stopped';
  const end = endedAt === null ? now : Date.parse(endedAt);
  const speed =
    status === 'running' && progress !== null ? `${count(Math.round(progress.stepsPerSecond))} steps/s` : undefined;
  return (
    <>
      <p className="mb-2 flex flex-wrap items-center justify-between gap-x-3 text-sm whitespace-nowrap text-soft tabular-nums">
        <StatusPill status={status} reason={reason} />
        {startedAt !== null && (
          <span title="Since the first attempt began">{duration(Math.max(0, end - Date.parse(startedAt)))}</span>
        )}
      </p>
      <ProgressBar label={`Progress of ${name}`} share={share(experiment)} tone={tone} />
      <p className="mt-1.5 flex flex-wrap justify-between gap-x-3 text-sm whitespace-nowrap text-soft tabular-nums">
        <span>{steps(experiment)}</span>
        <span>{speed ?? epochs(experiment)}</span>
      </p>
    </>
  );
}
