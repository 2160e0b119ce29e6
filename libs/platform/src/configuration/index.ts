/** `@longrun/platform/configuration`: what processes are told from outside. Loads nothing of Redis, SQL or the object store. */
export { freePort } from './free-port.js';
export { environmentWithoutSecrets, hideEnvironment } from './hidden-environment.js';
export { graceMs, heartbeatMs, type Limits, sparesLateHeartbeat, workerLostAfterMs } from './limits.js';
export { keepFilesPrivate, makeStateFolder } from './private-files.js';
export {
  ConfigurationError,
  type Environment,
  milliseconds,
  readVariables,
  sizeInBytes,
  wholeNumber,
  wholeNumberIn,
} from './read-variables.js';
export { places, TOKEN_PATTERN, variables } from './variables.js';
