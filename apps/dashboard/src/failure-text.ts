import { ApiProblem, NotLongrun } from '@longrun/client';

/** What a page says when a request of it has failed. */
export function failureText(error: unknown): string {
  if (error instanceof ApiProblem) return error.message;
  // A tab stays open while the API is brought up to date.
  if (error instanceof NotLongrun) return `${error.message}. Reload this page: it may be older than the API.`;
  return 'The API does not answer. Is `longrun up` still running?';
}
