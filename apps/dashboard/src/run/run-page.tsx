import {
  datasetsOf,
  type ExperimentView,
  interruptions,
  isActive,
  programReference,
  restarts,
  settingText,
  shortProgram,
} from '@longrun/contracts';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { ago } from '../amounts.js';
import { api } from '../api.js';
import { CopyId } from '../copy-id.js';
import { explanation, nonFiniteCost } from '../experiment-facts.js';
import { ExperimentProgress } from '../experiment-progress.js';
import { REFRESH_MS } from '../liveness.js';
import { PageLink, runPath } from '../navigation.js';
import { answered, type Leaving, PageFrame, Waiting } from '../page-frame.js';
import { useNow } from '../use-now.js';
import { Attempts } from './attempts.js';
import { Curves } from './curves.js';
import { Files } from './files.js';
import { LogTail } from './log-tail.js';

/** One run, live: how far it is, its curves, its attempts, the end of its log and its files. */
export function RunPage({ id, ...leaving }: Leaving & { readonly id: string }): ReactNode {
  const now = useNow();
  const run = useQuery({
    queryKey: ['experiment', id],
    queryFn: ({ signal }) => answered(api.experiments.get(id, signal)),
  });
  const isLive = run.data === undefined || isActive(run.data.status);
  const metrics = useQuery({
    // Those of one that has ended are asked for once more.
    queryKey: ['metrics', id, isLive],
    queryFn: ({ signal }) => api.metrics.list(id, signal),
    refetchInterval: isLive ? REFRESH_MS : false,
    placeholderData: (before) => before,
  });
  const error = run.error ?? metrics.error;
  const items = metrics.data?.items ?? [];
  const step = items.reduce((most, { lastStep }) => Math.max(most, lastStep), 0);
  return (
    <PageFrame now={now} answeredAt={run.data?.answeredAt} error={error} {...leaving}>
      <nav className="mb-3 text-sm text-soft">
        <PageLink to="/" className="hover:text-ink">
          ← All experiments
        </PageLink>
      </nav>
      {run.data === undefined ? (
        <div className="rounded-xl border border-line bg-card shadow-sm">
          <Waiting failed={error !== null} />
        </div>
      ) : (
        <div className="space-y-8">
          <Summary run={run.data} now={now.date} />
          <Curves id={id} metrics={items} isLive={isLive} />
          <Attempts attempts={run.data.attempts} now={now.date} />
          <LogTail id={id} step={step} isLive={isLive} />
          <Files id={id} isLive={isLive} now={now.date} />
        </div>
      )}
    </PageFrame>
  );
}

function Summary({ run, now }: { readonly run: ExperimentView; readonly now: number }): ReactNode {
  const why = explanation(run);
  const cost = nonFiniteCost(run);
  return (
    <header className="rounded-xl border border-line bg-card px-5 py-5 shadow-sm">
      <div className="grid gap-x-10 gap-y-4 md:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
        <div className="min-w-0">
          <h2 className="text-xl font-semibold tracking-tight break-words">{run.name}</h2>
          <p className="mt-1">
            <CopyId id={run.id} />
          </p>
          {why !== undefined && (
            <p
              className={`mt-2 text-sm break-words ${run.status === 'failed' ? 'text-red-700 dark:text-red-300' : 'text-soft'}`}
            >
              {why}
            </p>
          )}
          {cost !== undefined && <p className="mt-2 text-sm break-words text-red-700 dark:text-red-300">{cost}</p>}
        </div>
        <div className="min-w-0">
          <ExperimentProgress experiment={run} now={now} />
        </div>
      </div>
      <dl className="mt-5 grid gap-x-8 gap-y-3 border-t border-line pt-4 text-sm sm:grid-cols-2 lg:grid-cols-4">
        {facts(run, now).map(([name, value]) => (
          <div key={name} className="min-w-0">
            <dt className="text-xs text-soft">{name}</dt>
            <dd className="break-words tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </header>
  );
}

function facts(run: ExperimentView, now: number): [string, ReactNode][] {
  const { spec, programSha256, from, result, settings } = run;
  const program = programReference(spec.program).name;
  return [
    ['Program', programSha256 === null ? program : shortProgram(program, programSha256)],
    ['Dataset', [...new Set(Object.values(datasetsOf(spec)))].join(', ')],
    ['Seed', spec.seed],
    ['Submitted', ago(run.createdAt, now)],
    ['Restarts', restarts(run) === 0 ? '0' : `${restarts(run)} (${interruptions(run)})`],
    ...Object.entries(spec.params).map(([name, value]): [string, ReactNode] => [name, JSON.stringify(value)]),
    ...(from === null ? [] : [['From', <Origin key="from" from={from} />] satisfies [string, ReactNode]]),
    ...(settings.length === 0
      ? []
      : [['Set while it trained', settings.map(settingText).join('; ')] satisfies [string, ReactNode]]),
    ...(spec.tags === undefined ? [] : [['Tags', spec.tags.join(', ')] satisfies [string, ReactNode]]),
    ...(spec.notes === undefined ? [] : [['Notes', spec.notes] satisfies [string, ReactNode]]),
    ...(result === null
      ? []
      : [['Parameters', <Hash key="hash" sha256={result.parametersSha256} />] satisfies [string, ReactNode]]),
  ];
}

function Origin({ from: { experiment, step } }: { readonly from: NonNullable<ExperimentView['from']> }): ReactNode {
  return (
    <PageLink to={runPath(experiment)} className="text-accent hover:underline">
      step {step} of …{experiment.slice(-8)}
    </PageLink>
  );
}

function Hash({ sha256 }: { readonly sha256: string }): ReactNode {
  return (
    <span className="font-mono text-xs" title={sha256}>
      sha256 {sha256.slice(0, 16)}…
    </span>
  );
}
