import type { DType } from '@longrun/serialization';

import { onTestFinished } from 'vitest';

import { engineNamed, registerEngine, toposort, type EngineDefinition } from '../src/index.js';

/** What an engine for tests lacks. */
export interface Limits {
  /** Dtypes that it has not. */
  readonly lacks?: readonly DType[];
  readonly narrowed?: readonly DType[];
  readonly hostOps?: readonly string[];
}

let made = 0;

/**
 * Registers the reference engine with limits, which it keeps, until the test has ended: it throws when it is given a graph beyond
 * them. Returns its name.
 */
export function limitedEngine({ lacks = [], narrowed = [], hostOps = [] }: Limits): string {
  made += 1;
  const name = `limited-${made}`;
  const base = engineNamed('reference');
  const engine: EngineDefinition = {
    ...base,
    name,
    narrowed: new Set(narrowed),
    hostOps: new Set(hostOps),
    supports(op, dtypes) {
      if (hostOps.includes(op.name)) return `it has no ${op.name}`;
      const lacking = dtypes.find((dtype) => lacks.includes(dtype));
      return lacking === undefined ? undefined : `it has no ${lacking}`;
    },
    async compile(graph, target) {
      for (const { op, inputs, outputs } of toposort(graph.outputs, { blockers: graph.inputs, inside: true })) {
        const why = engine.supports(
          op,
          [...inputs, ...outputs].map(({ dtype }) => dtype),
        );
        if (why !== undefined) throw new Error(`The engine was given ${op.name}, though ${why}`);
      }
      return base.compile(graph, target);
    },
  };
  onTestFinished(registerEngine(engine));
  return name;
}
