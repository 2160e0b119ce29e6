import { ApiUnreachable, type NotLongrun } from '@longrun/client';

/** That there is no API where one was asked, and what to do about it at a command line. */
export function connectionWords(error: ApiUnreachable | NotLongrun): string {
  if (!(error instanceof ApiUnreachable)) return `${error.message}; \`longrun status\` says why it is asked`;
  if (error.how !== 'not-connected') return error.message;
  return `${error.message}; start one with \`longrun up\`, or name another by --server or LONGRUN_URL`;
}
