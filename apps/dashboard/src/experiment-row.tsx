import { type ExperimentSummary, interruptions, restarts } from '@longrun/contracts';
import type { ReactNode } from 'react';

import { ago } from './amounts.js';
import { CopyId } from './copy-id.js';
import { explanation, nonFiniteCost, testAccuracy } from './experiment-facts.js';
import { ExperimentProgress } from './experiment-progress.js';
import { PageLink, runPath } from './navigation.js';

/** One experiment in the list. */
export function ExperimentRow({
  experiment,
  now,
}: {
  readonly experiment: ExperimentSummary;
  readonly now: number;
}): ReactNode {
  const { id, name, program, datasets, status, createdAt } = experiment;
  const why = explanation(experiment);
  const cost = nonFiniteCost(experiment);
  const accuracy = testAccuracy(experiment);
  return (
    <li className="grid gap-x-8 gap-y-3 px-4 py-4 sm:px-5 md:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_auto]">
      <div className="min-w-0 self-center">
        <h3 className="truncate font-medium" title={name}>
          <PageLink to={runPath(id)} className="hover:underline">
            {name}
          </PageLink>
        </h3>
        <p className="mt-1 flex flex-wrap items-center gap-x-2 text-sm text-soft">
          <CopyId id={id} />
          <span>
            {program} <span aria-hidden="true">·</span> <span className="sr-only">on</span>{' '}
            {[...new Set(Object.values(datasets).map((dataset) => dataset.name))].join(', ')}
          </span>
        </p>
        {why !== undefined && (
          <p
            className={`mt-1.5 text-sm break-words ${status === 'failed' ? 'text-red-700 dark:text-red-300' : 'text-soft'}`}
          >
            {why}
          </p>
        )}
        {cost !== undefined && <p className="mt-1.5 text-sm break-words text-red-700 dark:text-red-300">{cost}</p>}
      </div>
      <div className="min-w-0 self-center">
        <ExperimentProgress experiment={experiment} now={now} />
      </div>
      <dl className="grid grid-cols-3 gap-x-4 self-center text-sm md:w-60 md:text-right">
        <Fact
          name="Accuracy"
          title="On the test split, after the last epoch"
          value={accuracy === undefined ? '–' : `${(100 * accuracy).toFixed(2)} %`}
        />
        <Fact name="Restarts" title={interruptions(experiment)} value={String(restarts(experiment))} />
        <Fact name="Submitted" title={new Date(createdAt).toLocaleString()} value={ago(createdAt, now)} />
      </dl>
    </li>
  );
}

function Fact({
  name,
  value,
  title,
}: {
  readonly name: string;
  readonly value: string;
  readonly title: string;
}): ReactNode {
  return (
    <div title={title}>
      <dt className="text-xs text-soft">{name}</dt>
      <dd className="whitespace-nowrap tabular-nums">{value}</dd>
    </div>
  );
}
