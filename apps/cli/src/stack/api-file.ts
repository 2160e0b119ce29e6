import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Problem } from '@longrun/contracts';

/** How long the API may take to say whether it is ready. */
const PROBE_TIMEOUT_MS = 5_000;

/**
 * Where the API that runs on a state folder as process `pid` listens, and whether it is ready: false before it listens, then
 * what it waits for.
 */
export async function lookAtApi(
  state: string,
  pid: number,
): Promise<{ readonly url: string | undefined; readonly ready: boolean | string }> {
  const api = parseApiFile(await readFile(join(state, 'api.json'), 'utf8').catch(() => ''));
  if (api?.pid !== pid) return { url: undefined, ready: false };
  const { url } = api;
  try {
    const answer = await fetch(new URL('/health/ready', url), { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const text = await answer.text();
    return { url, ready: answer.ok || `it listens, and waits: ${Problem.parse(JSON.parse(text)).detail}` };
  } catch {
    return { url, ready: `it listens at ${url}, and does not answer yet` };
  }
}

/** What the API says of itself in `<state>/api.json`; undefined while the file is not whole. */
export function parseApiFile(text: string): { readonly url: string; readonly pid: number } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('url' in value) || !('pid' in value)) return undefined;
    return typeof value.url === 'string' && typeof value.pid === 'number'
      ? { url: value.url, pid: value.pid }
      : undefined;
  } catch {
    return undefined;
  }
}
