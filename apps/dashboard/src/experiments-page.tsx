import { type ExperimentStatus, ExperimentStatus as Statuses } from '@longrun/contracts';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';

import { api, fetchExperiments } from './api.js';
import { DatasetList } from './dataset-list.js';
import { EmptyState } from './empty-state.js';
import { ExperimentRow } from './experiment-row.js';
import { answered, type Leaving, PageFrame, Waiting } from './page-frame.js';
import { StatusFilter } from './status-filter.js';
import { useNow } from './use-now.js';

/** All experiments, newest first and live, with the datasets beside them. */
export function ExperimentsPage(leaving: Leaving): ReactNode {
  const now = useNow();
  const [only, setOnly] = useState<ExperimentStatus>();
  const experiments = useInfiniteQuery({
    queryKey: ['experiments', only],
    queryFn: ({ pageParam, signal }) => answered(fetchExperiments({ status: only, cursor: pageParam }, signal)),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
  });
  const datasets = useQuery({
    queryKey: ['datasets'],
    queryFn: ({ signal }) => answered(api.datasets.list({ limit: 50 }, signal)),
  });

  const error = experiments.error ?? datasets.error;
  const answers = experiments.data && datasets.data && [...experiments.data.pages, datasets.data];
  const answeredAt = answers && Math.min(...answers.map((answer) => answer.answeredAt));
  const loaded = experiments.data?.pages
    .flatMap(({ items }) => items)
    .filter(({ status }) => only === undefined || status === only);
  // Until the answer to another choice is there, what the one before has of it is shown.
  const shown = experiments.isPlaceholderData && loaded?.length === 0 ? undefined : loaded;
  const counted = experiments.data?.pages[0]?.counts;
  const counts = new Map(Statuses.options.map((status) => [status, counted?.[status] ?? 0]));
  const none = [...counts.values()].every((count) => count === 0);
  return (
    <PageFrame now={now} answeredAt={answeredAt} error={error} {...leaving}>
      <div className="grid gap-6 lg:grid-cols-[minmax(0,1fr)_19rem]">
        <section aria-labelledby="experiments">
          <div className="mb-3 flex flex-wrap items-end justify-between gap-3">
            <h2 id="experiments" className="text-xl font-semibold tracking-tight">
              Experiments
            </h2>
            <StatusFilter counts={counts} selected={only} onSelect={setOnly} />
          </div>
          <div className="overflow-hidden rounded-xl border border-line bg-card shadow-sm">
            {shown === undefined ? (
              <Waiting failed={error !== null} />
            ) : none ? (
              <EmptyState />
            ) : shown.length === 0 ? (
              <p className="px-5 py-10 text-center text-sm text-soft">No experiment is {only}.</p>
            ) : (
              <ul className="divide-y divide-line">
                {shown.map((experiment) => (
                  <ExperimentRow key={experiment.id} experiment={experiment} now={now.date} />
                ))}
              </ul>
            )}
          </div>
          {experiments.hasNextPage && (
            <button
              type="button"
              onClick={() => void experiments.fetchNextPage()}
              disabled={experiments.isFetchingNextPage}
              className="mx-auto mt-4 block cursor-pointer rounded-lg border border-line bg-card px-4 py-1.5 text-sm hover:bg-track disabled:opacity-60"
            >
              {experiments.isFetchingNextPage ? 'Loading…' : 'Show older'}
            </button>
          )}
        </section>
        <section aria-labelledby="datasets">
          <h2 id="datasets" className="mb-3 text-xl font-semibold tracking-tight">
            Datasets
          </h2>
          <div className="overflow-hidden rounded-xl border border-line bg-card shadow-sm">
            {datasets.data === undefined ? (
              <Waiting failed={error !== null} />
            ) : (
              <DatasetList datasets={datasets.data.items} />
            )}
          </div>
        </section>
      </div>
    </PageFrame>
  );
}
