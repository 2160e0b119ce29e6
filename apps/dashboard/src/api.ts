import { ApiProblem, Client } from '@longrun/client';
import type { ExperimentList, ExperimentStatus, OutputList } from '@longrun/contracts';

import { TEST_ERROR } from './experiment-facts.js';

/** The API that this page came from, in the name of whoever is signed in. A page that is shown live is not waited for as long as a command waits. */
export const api = new Client({ url: location.origin, timeoutMs: 15_000 });

/** What a page of experiments is asked for by. */
export interface PageRequest {
  readonly status: ExperimentStatus | undefined;
  /** `nextCursor` of the page before; null: the first page. */
  readonly cursor: string | null;
}

/** One page of experiments, newest first, with what the page shows of each. */
export async function fetchExperiments({ status, cursor }: PageRequest, signal: AbortSignal): Promise<ExperimentList> {
  return await api.experiments.list({ limit: 50, metrics: TEST_ERROR, status, cursor: cursor ?? undefined }, signal);
}

/** The files that the program of an experiment has written; null before the first checkpoint. */
export async function fetchOutputs(id: string, signal: AbortSignal): Promise<OutputList | null> {
  try {
    return await api.checkpoints.outputs(id, signal);
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.status === 404) return null;
    throw error;
  }
}

/** Where an experiment lies in the API: also of files, which a link fetches. */
export function experimentUrl(id: string): string {
  return `/v1/experiments/${encodeURIComponent(id)}`;
}

/** Whether the API knows nobody here. */
export function isUnauthenticated(error: unknown): boolean {
  return error instanceof ApiProblem && error.problem.status === 401;
}
