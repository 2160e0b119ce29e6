import { ApiProblem, ApiUnreachable, StoreUnreachable } from './api-errors.js';

/** Whether the same request may well be answered in a moment: the API, or its store, is away, or it (or a proxy before it) says so. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ApiUnreachable || error instanceof StoreUnreachable) return true;
  return error instanceof ApiProblem && error.problem.status >= 502;
}

/**
 * Whether what fetch, or the reading of a body, has thrown says that a connection failed or broke, which is a TypeError whose words each browser
 * chooses, or that it was given up.
 */
export function isNetworkFailure(error: unknown): boolean {
  if (error instanceof TypeError) return true;
  return error instanceof DOMException && (error.name === 'AbortError' || error.name === 'TimeoutError');
}

/** Whether a connection was lost that had been made. */
export function isBroken(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'].includes(
    causeOf(error),
  );
}

/** Why a connection failed, by its code if it has one. */
export function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}
