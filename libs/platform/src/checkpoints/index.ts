/** `@longrun/platform/checkpoints`: what is said of checkpoints, read by way of the API or in the store itself. Loads nothing of Redis or SQL. */
export { checkpointFindings, verificationOf } from './findings.js';
export { checkpointList, checkpointView } from './views.js';
