import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { environmentWithoutSecrets } from '../configuration/hidden-environment.js';
import { readProcessFile, statFieldsIn } from './stat-fields.js';

/**
 * Processor time that a process, and those that it has waited for, have used, in seconds: what it did, however busy the machine is.
 * Undefined when it is gone. Rejects where that cannot be told.
 */
export async function processorSeconds(pid: number): Promise<number | undefined> {
  if (process.platform === 'linux') {
    const stat = readProcessFile(pid, 'stat');
    if (stat === undefined) return undefined;
    const ticks = statFieldsIn(stat).slice(11, 15).map(Number);
    return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
  }
  const env = environmentWithoutSecrets(process.env);
  const answer = await promisify(execFile)('ps', ['-o', 'time=', '-p', String(pid)], { env }).catch(() => undefined);
  const time = answer?.stdout.trim() ?? '';
  return time === '' ? undefined : time.split(/[:-]/).reduce((all, part) => 60 * all + Number(part), 0);
}

/** USER_HZ: what /proc counts in, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
