/** A client of the REST API, for browsers and Node. What it takes and gives is defined in `@longrun/contracts`. */
export type { ApiConnectionOptions } from './api-connection.js';
export { ApiProblem, ApiUnreachable, NotLongrun, StoreUnreachable } from './api-errors.js';
export { Client } from './client.js';
export type { FollowOptions } from './experiment-events.js';
export type { FileFacts, FileRange, OpenFile } from './file-reading.js';
export { newIdempotencyKey, type SubmissionOptions } from './idempotency-key.js';
export type { LooksOptions } from './looks.js';
export { isPassing } from './network-failure.js';
export { Reconnection, type ReconnectionOptions } from './reconnection.js';
export type { Verb } from './resources/experiments.js';
