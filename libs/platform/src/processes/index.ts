/** `@longrun/platform/processes`: the processes of this machine, and time as this one sees it. Loads nothing of Redis, SQL or the object store. */
export { FolderInUse, FolderLock } from './folder-lock.js';
export { ObservedTime, type ObservedTimeOptions } from '@longrun/serialization/observed-time';
export { within } from './patience.js';
export {
  childrenOf,
  cpuSecondsOf,
  cpuSecondsOfProcess,
  endGroup,
  identify,
  isAlive,
  membersOf,
  peakMemoryBytes,
  type ProcessIdentity,
  sendSignal,
  stopProcess,
} from './process-table.js';
export { trainerEnvironment } from './trainer-environment.js';
