import { Client } from '@longrun/client';
import type { DatasetList, ExperimentList, ExperimentStatus } from '@longrun/contracts';

import { TEST_ERROR } from './experiment-facts.js';

/** The API that this page came from. A page that is shown live is not waited for as long as a command waits. */
export function apiOf(token: string): Client {
  return new Client({ url: location.origin, token, timeoutMs: 15_000 });
}

/** What a page of experiments is asked for by. */
export interface PageRequest {
  readonly status: ExperimentStatus | undefined;
  /** `nextCursor` of the page before; null: the first page. */
  readonly cursor: string | null;
}

/** One page of experiments, newest first, with what the page shows of each. */
export async function fetchExperiments(
  api: Client,
  { status, cursor }: PageRequest,
  signal: AbortSignal,
): Promise<ExperimentList> {
  return await api.experiments.list({ limit: 50, metrics: TEST_ERROR, status, cursor: cursor ?? undefined }, signal);
}

/** The newest datasets. */
export async function fetchDatasets(api: Client, signal: AbortSignal): Promise<DatasetList> {
  return await api.datasets.list({ limit: 50 }, signal);
}
