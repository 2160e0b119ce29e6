/** `@longrun/platform/processes`: the processes of this machine. Loads nothing of Redis, SQL or the object store. */
export {
  childrenOf,
  cpuSecondsOf,
  endGroup,
  identify,
  isAlive,
  membersOf,
  peakMemoryBytes,
  type ProcessIdentity,
  sendSignal,
  stopProcess,
} from './process-table.js';
