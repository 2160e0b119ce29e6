import { z } from 'zod';

import type { AttemptView } from './views.js';

/** What an attempt computes with, as `onnxruntime/cpu`. Empty before it has said so. */
export function engineText({ engine, environment }: Pick<AttemptView, 'engine' | 'environment'>): string {
  if (engine === null) return '';
  const provider = Environment.safeParse(environment).data?.provider;
  return provider === undefined ? engine : `${engine}/${provider}`;
}

/** Attempts of older builds say no provider. */
const Environment = z.object({ provider: z.string() });
