import { isAlive, type ProcessIdentity } from './process-table.js';

/** Of what this process has killed: who did not end. */
const killed = new Map<number, ProcessIdentity>();

/** They were killed with SIGKILL and have not ended: a device or a disk does not let them go. */
export function noteUndying(processes: readonly ProcessIdentity[]): void {
  for (const one of processes) killed.set(one.pid, one);
}

/** Those that were noted and are still there. */
export async function undyingProcesses(): Promise<readonly ProcessIdentity[]> {
  for (const one of killed.values()) if (!(await isAlive(one))) killed.delete(one.pid);
  return [...killed.values()];
}
