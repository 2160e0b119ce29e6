/** `@longrun/platform/child`: for processes that a worker supervises. Loads nothing of Redis, SQL or the object store. */
export { ParentLink } from './parent-link.js';
export { runCheck } from './run-check.js';
