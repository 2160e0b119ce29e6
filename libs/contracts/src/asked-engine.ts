import { Resources } from './experiment-spec.js';
import type { WorkerReport } from './worker.js';

/**
 * What resources ask of the engines of a worker: `tfjs`, or `tfjs/cuda`. Undefined where they ask for no more than what every worker has
 * that passes its check.
 */
export function askedEngine({ engine, provider }: Pick<Resources, 'engine' | 'provider'>): string | undefined {
  if (provider !== undefined) return `${engine}/${provider}`;
  return engine === Resources.parse({}).engine ? undefined : engine;
}

/** Whether a worker with these engines has what {@link askedEngine} says. One that does not say which it has may have it. */
export function hasEngine(engines: WorkerReport['engines'] | null, asked: string | undefined): boolean {
  if (engines === undefined || engines === null || asked === undefined) return true;
  const [engine = '', provider] = asked.split('/');
  const providers = Object.hasOwn(engines, engine) ? engines[engine] : undefined;
  return providers !== undefined && (provider === undefined || providers.includes(provider));
}
