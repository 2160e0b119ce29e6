import { ApiUnreachable, type NotLongrun } from '@longrun/client';

/** That there is no API where one was asked, and what to do about it at a command line. */
export function connectionWords(error: ApiUnreachable | NotLongrun): string {
  if (!(error instanceof ApiUnreachable)) return `${error.message}; see LONGRUN_URL`;
  if (error.how !== 'not-connected') return error.message;
  return `${error.message}; start one with \`longrun up\`, or set LONGRUN_URL and LONGRUN_TOKEN`;
}
