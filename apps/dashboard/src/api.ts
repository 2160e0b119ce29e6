import { DatasetList, ExperimentList, type ExperimentStatus, Problem } from '@longrun/contracts';

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

/** One page of experiments, newest first. Throws Refused, or a TypeError when the API cannot be reached. */
export async function fetchExperiments(
  token: string,
  { status, cursor }: PageRequest,
  signal: AbortSignal,
): Promise<ExperimentList> {
  const query = new URLSearchParams({
    limit: '50',
    metrics: TEST_ERROR,
    ...(status !== undefined && { status }),
    ...(cursor !== null && { cursor }),
  });
  return ExperimentList.parse(await fetchJson(`/v1/experiments?${query.toString()}`, token, signal));
}

/** The newest datasets. */
export async function fetchDatasets(token: string, signal: AbortSignal): Promise<DatasetList> {
  return DatasetList.parse(await fetchJson('/v1/datasets?limit=50', token, signal));
}

async function fetchJson(path: string, token: string, signal: AbortSignal): Promise<unknown> {
  const answer = await fetch(path, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(15_000)]),
  });
  if (answer.ok) return await answer.json();
  const problem = Problem.safeParse(await answer.json().catch(() => undefined));
  throw new Refused(answer.status, problem.success ? problem.data.detail : `The API answered ${answer.status}.`);
}
