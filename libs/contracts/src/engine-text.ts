import { z } from 'zod';

import type { AttemptView } from './views.js';

/** What an attempt computes with: `onnxruntime`, or `onnxruntime/cuda` where it is not the processor. Empty before it has said so. */
export function engineText({ engine, environment }: Pick<AttemptView, 'engine' | 'environment'>): string {
  if (engine === null) return '';
  const { provider } = Environment.safeParse(environment).data ?? { provider: 'cpu' };
  return provider === 'cpu' ? engine : `${engine}/${provider}`;
}

/** Attempts of older builds say no provider. */
const Environment = z.object({ provider: z.string() });
