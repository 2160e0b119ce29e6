import { openObjectStore } from '@longrun/serialization';
import { within } from '../processes/patience.js';
import { WorkerLink } from './worker-link.js';

/** What keeps a worker from using this Redis, in a sentence; undefined when nothing does. Never throws. */
export async function redisFault(
  redisUrl: string,
  { prefix, timeoutMs }: { readonly prefix: string; readonly timeoutMs: number },
): Promise<string | undefined> {
  const link = new WorkerLink({ redisUrl, prefix, workerId: `doctor-${process.pid}`, warn: () => {} });
  try {
    const verdict = await within(timeoutMs, link.checkRedis(timeoutMs));
    if (verdict === undefined) return `Redis cannot be reached within ${timeoutMs} ms; start it, or set REDIS_URL.`;
    return verdict.usable ? undefined : verdict.sentence;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    link.close();
  }
}

/**
 * What keeps a worker from using this object store, in a sentence, tried with small objects; undefined when nothing does. Never throws.
 *
 * @param onNote As of `openObjectStore`
 */
export async function objectStoreFault(url: string, onNote: (sentence: string) => void): Promise<string | undefined> {
  try {
    await openObjectStore(url, { onNote });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
