import { ApiProblem } from '@longrun/client';
import { type ExperimentStatus, ExperimentStatus as Statuses } from '@longrun/contracts';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useState } from 'react';

import { apiOf, fetchDatasets, fetchExperiments } from './api.js';
import { DatasetList } from './dataset-list.js';
import { EmptyState } from './empty-state.js';
import { ExperimentRow } from './experiment-row.js';
import { Header } from './header.js';
import { liveness } from './liveness.js';
import { StatusFilter } from './status-filter.js';
import { useNow } from './use-now.js';

/** All experiments, newest first and live, with the datasets beside them. */
export function ExperimentsPage({
  token,
  onSignOut,
}: {
  readonly token: string;
  readonly onSignOut: (reason?: string) => void;
}): ReactNode {
  const now = useNow();
  const api = useMemo(() => apiOf(token), [token]);
  const [only, setOnly] = useState<ExperimentStatus>();
  const experiments = useInfiniteQuery({
    queryKey: ['experiments', token, only],
    queryFn: ({ pageParam, signal }) => answered(fetchExperiments(api, { status: only, cursor: pageParam }, signal)),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
  });
  const datasets = useQuery({
    queryKey: ['datasets', token],
    queryFn: ({ signal }) => answered(fetchDatasets(api, signal)),
  });

  const error = experiments.error ?? datasets.error;
  const isRefusedToken = error instanceof ApiProblem && error.problem.status === 401;
  useEffect(() => {
    if (isRefusedToken) onSignOut('The API does not accept this token. It may belong to another state folder.');
  }, [isRefusedToken, onSignOut]);

  const answers = experiments.data && datasets.data && [...experiments.data.pages, datasets.data];
  const answeredAt = answers && Math.min(...answers.map((answer) => answer.answeredAt));
  const live = liveness(answeredAt, error !== null, now.steady);
  const loaded = experiments.data?.pages
    .flatMap(({ items }) => items)
    .filter(({ status }) => only === undefined || status === only);
  // Until the answer to another choice is there, what the one before has of it is shown.
  const shown = experiments.isPlaceholderData && loaded?.length === 0 ? undefined : loaded;
  const counted = experiments.data?.pages[0]?.counts;
  const counts = new Map(Statuses.options.map((status) => [status, counted?.[status] ?? 0]));
  const none = [...counts.values()].every((count) => count === 0);
  return (
    <>
      <Header liveness={live} date={now.date} onSignOut={() => onSignOut()} />
      <main className="mx-auto max-w-7xl px-4 pt-6 pb-12 sm:px-6">
        {(error !== null || live.state === 'silent') && !isRefusedToken && (
          <p
            role="alert"
            className="mb-5 rounded-xl border border-amber-300 bg-amber-50 px-4 py-3 text-sm text-amber-900 dark:border-amber-400/30 dark:bg-amber-400/10 dark:text-amber-200"
          >
            {error instanceof ApiProblem
              ? error.message
              : 'The API does not answer. What is shown may be old; this page goes on trying. Is `longrun up` still running?'}
          </p>
        )}
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
      </main>
    </>
  );
}

/** An answer with when it came, by the clock of {@link useNow} that is never set. */
async function answered<T extends object>(asked: Promise<T>): Promise<T & { readonly answeredAt: number }> {
  const answer = await asked;
  return { ...answer, answeredAt: performance.now() };
}

function Waiting({ failed }: { readonly failed: boolean }): ReactNode {
  if (failed) return <p className="px-5 py-10 text-center text-sm text-soft">Nothing has been loaded yet.</p>;
  return (
    <div role="status" className="space-y-3 px-5 py-6">
      <span className="sr-only">Loading</span>
      <div className="h-4 w-2/5 animate-pulse rounded bg-track" />
      <div className="h-4 w-3/5 animate-pulse rounded bg-track" />
    </div>
  );
}
