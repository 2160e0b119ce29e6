import { StoreUnreachable } from './api-errors.js';
import { isBroken } from './network-failure.js';
import { openAnswer, type OpenAnswer } from './open-answer.js';

/** What an API has fetched from its object store in its place. */
export interface StoreRequest {
  /** What the API gave: a secret, of which only the origin is ever said. */
  readonly location: string;
  /** As of a `Range` header. */
  readonly range: string;
  /** Of the API. */
  readonly apiUrl: string;
  readonly signal?: AbortSignal | undefined;
}

/** Opens a file where its store has it, with nothing of what the API is told. @throws StoreUnreachable */
export async function openAtStore({ location, range, apiUrl, signal }: StoreRequest): Promise<OpenAnswer> {
  const { origin } = new URL(location);
  const ask = async (stop: AbortSignal): Promise<Response> => {
    const answer = await fetch(location, { headers: { range }, signal: stop });
    if (answer.ok) return answer;
    const [, code = ''] = /<Code>(\w+)<\/Code>/.exec(await answer.text()) ?? [];
    throw new StoreUnreachable(
      `the object store at ${origin} did not take the URL that the API at ${apiUrl} gave for it (${answer.status} ${code}); try again, and look at the ` +
        'clock and the credentials of the API where it is so again',
      { how: 'refused' },
    );
  };
  return await openAnswer(ask, {
    signal,
    failed: ({ cause, wasMade, why }) =>
      wasMade || isBroken(cause)
        ? new StoreUnreachable(
            `the object store at ${origin} broke off before the end of the file (${why}); try again`,
            {
              how: 'broken-off',
            },
          )
        : new StoreUnreachable(
            `the API at ${apiUrl} has files fetched from its object store at ${origin}, which cannot be reached from here (${why}); open that to this ` +
              'machine, or start the API with LONGRUN_DOWNLOADS=stream',
            { how: 'not-connected' },
          ),
  });
}
