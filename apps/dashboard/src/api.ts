import {
  DatasetList,
  ExperimentList,
  type ExperimentStatus,
  ExperimentView,
  LogPage,
  MetricList,
  MetricSeries,
  OutputList,
  Problem,
  StoredCheckpointList,
} from '@longrun/contracts';

import { TEST_ERROR } from './experiment-facts.js';

/** The API refused a request. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What a page of experiments is asked for by. */
export interface PageRequest {
  readonly status: ExperimentStatus | undefined;
  /** `nextCursor` of the page before; null: the first page. */
  readonly cursor: string | null;
}

/** One page of experiments, newest first. This and all others throw Refused, or a TypeError when the API cannot be reached. */
export async function fetchExperiments({ status, cursor }: PageRequest, signal: AbortSignal): Promise<ExperimentList> {
  const query = new URLSearchParams({
    limit: '50',
    metrics: TEST_ERROR,
    ...(status !== undefined && { status }),
    ...(cursor !== null && { cursor }),
  });
  return ExperimentList.parse(await fetchJson(`/v1/experiments?${query.toString()}`, signal));
}

/** The newest datasets. */
export async function fetchDatasets(signal: AbortSignal): Promise<DatasetList> {
  return DatasetList.parse(await fetchJson('/v1/datasets?limit=50', signal));
}

/** One experiment. */
export async function fetchExperiment(id: string, signal: AbortSignal): Promise<ExperimentView> {
  return ExperimentView.parse(await fetchJson(experimentUrl(id), signal));
}

/** What it has logged as numbers. */
export async function fetchMetrics(id: string, signal: AbortSignal): Promise<MetricList> {
  return MetricList.parse(await fetchJson(`${experimentUrl(id)}/metrics`, signal));
}

/** Points of one metric, no more than a chart can show. */
export async function fetchSeries(id: string, name: string, signal: AbortSignal): Promise<MetricSeries> {
  const path = `${experimentUrl(id)}/metrics/${encodeURIComponent(name)}?maxPoints=1000`;
  return MetricSeries.parse(await fetchJson(path, signal));
}

/** Rows of its log after a step. */
export async function fetchLog(id: string, after: number, signal: AbortSignal): Promise<LogPage> {
  return LogPage.parse(await fetchJson(`${experimentUrl(id)}/log?after=${after}&limit=100`, signal));
}

/** Its checkpoints, as they lie in the object store. */
export async function fetchCheckpoints(id: string, signal: AbortSignal): Promise<StoredCheckpointList> {
  return StoredCheckpointList.parse(await fetchJson(`${experimentUrl(id)}/checkpoints`, signal));
}

/** The files that its program has written; null before the first checkpoint. */
export async function fetchOutputs(id: string, signal: AbortSignal): Promise<OutputList | null> {
  try {
    return OutputList.parse(await fetchJson(`${experimentUrl(id)}/outputs`, signal));
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

/** Where an experiment lies in the API: also of files, which a link fetches. */
export function experimentUrl(id: string): string {
  return `/v1/experiments/${encodeURIComponent(id)}`;
}

/** Asks the API, in the name of whoever is signed in, unless the headers say in whose. */
export async function asked(
  path: string,
  { signal, ...request }: Pick<RequestInit, 'method' | 'headers'> & { readonly signal?: AbortSignal },
): Promise<Response> {
  const patience = AbortSignal.timeout(15_000);
  const answer = await fetch(path, {
    ...request,
    signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
  });
  if (answer.ok) return answer;
  const problem = Problem.safeParse(await answer.json().catch(() => undefined));
  throw new Refused(answer.status, problem.success ? problem.data.detail : `The API answered ${answer.status}.`);
}

async function fetchJson(path: string, signal: AbortSignal): Promise<unknown> {
  return await (await asked(path, { signal })).json();
}
