import { readFileSync } from 'node:fs';
import { availableParallelism, hostname, totalmem } from 'node:os';
import type { WorkerReport } from '@longrun/contracts';

/** What does not change about a worker while it runs. */
export type WorkerDescription = Pick<
  WorkerReport,
  'host' | 'version' | 'labels' | 'threads' | 'memoryBytes' | 'devices' | 'engines'
>;

/** This machine and this build, as far as they can be told here. */
export function describeWorker(known: Partial<WorkerDescription> = {}): WorkerDescription {
  return {
    host: hostname(),
    version,
    labels: {},
    threads: availableParallelism(),
    memoryBytes: memoryBytes(),
    devices: [],
    ...known,
  };
}

/** Of the machine, or of the container where that has less. */
export function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

const version = versionOf(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

function versionOf(manifest: string): string {
  const parsed: unknown = JSON.parse(manifest);
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  throw new Error("The platform's package.json says no version");
}
