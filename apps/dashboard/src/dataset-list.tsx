import { type DatasetSummary, retryPolicy } from '@longrun/contracts';
import type { ReactNode } from 'react';

import { count, size } from './amounts.js';
import { CopyId } from './copy-id.js';
import { ProgressBar } from './progress-bar.js';
import { StatusPill } from './status-pill.js';

/** The datasets, with what is in them. */
export function DatasetList({ datasets }: { readonly datasets: readonly DatasetSummary[] }): ReactNode {
  if (datasets.length === 0) {
    return (
      <p className="px-4 py-6 text-sm text-soft sm:px-5">
        None yet. A dataset is made once from its raw files and then used by any number of experiments.
      </p>
    );
  }
  return (
    <ul className="divide-y divide-line">
      {datasets.map((dataset) => (
        <DatasetRow key={dataset.id} dataset={dataset} />
      ))}
    </ul>
  );
}

function DatasetRow({ dataset }: { readonly dataset: DatasetSummary }): ReactNode {
  const { id, name, status, reason, result, progress, spec } = dataset;
  const why = dataset.message ?? (status === 'failed' && reason !== null ? retryPolicy[reason].explain : undefined);
  // The largest first: the record keeps no order.
  const splits = Object.entries(result?.description.splits ?? {}).toSorted(([, one], [, other]) => other - one);
  return (
    <li className="px-4 py-4 sm:px-5">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="font-medium">{name}</h3>
        <StatusPill status={status} reason={reason} />
      </div>
      <p className="mt-1 flex flex-wrap items-center gap-x-2 text-sm text-soft">
        <CopyId id={id} />
        <span>{result === null ? spec.converter : size(result.sizeBytes)}</span>
      </p>
      {splits.length > 0 && (
        <dl className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-sm">
          {splits.map(([split, examples]) => (
            <div key={split} className="flex gap-1.5">
              <dt className="text-soft">{split}</dt>
              <dd className="tabular-nums">{count(examples)}</dd>
            </div>
          ))}
        </dl>
      )}
      {status === 'converting' && progress !== null && (
        <div className="mt-3">
          <ProgressBar
            label={`Conversion of ${name}`}
            share={progress.total === undefined || progress.total === 0 ? undefined : progress.done / progress.total}
            tone="active"
          />
          <p className="mt-1 truncate text-sm text-soft">
            {progress.phase} {progress.what}
          </p>
        </div>
      )}
      {why !== undefined && (
        <p
          className={`mt-2 text-sm break-words ${status === 'failed' ? 'text-red-700 dark:text-red-300' : 'text-soft'}`}
        >
          {why}
        </p>
      )}
    </li>
  );
}
