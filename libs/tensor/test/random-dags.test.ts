import { readFileSync } from 'node:fs';

import { decodeSafetensors, type DType, type NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import { add, mean, tensor, type Variable } from '../src/index.js';
import { distance, firstAndSecond } from './derivatives.js';
import { shareOf, WITHOUT_ROUNDING } from './engines.js';
import { valuesOf, type OpNode } from './golden/random-graphs.js';
import { array, present } from './op-laws.js';
import { verdictsOf, type Trial } from './trials.js';

/** A graph as golden/make_dag_goldens.py draws it: an input of a node is the position of a graph input, or of an earlier node. */
interface Dag {
  readonly seed: number;
  readonly inputs: number;
  readonly nodes: readonly OpNode[];
}

const { tensors, metadata } = decodeSafetensors(readFileSync(new URL('golden/dags.safetensors', import.meta.url)));
const dags: readonly Dag[] = JSON.parse(present(metadata['graphs']));

/** How far a value may be from PyTorch's, as a part of the largest of its array, or of 1. */
const tolerances = [
  { dtype: 'float64', tolerance: 1e-12, turn: 0 },
  { dtype: 'float32', tolerance: 1e-4, turn: 1 },
] as const;

/** How many graphs are run as one function. */
const AT_ONCE = 5;

describe.each(WITHOUT_ROUNDING)('on $name', (engine) => {
  test.each(tolerances)(
    'random graphs have the values and the first and second derivatives of PyTorch: $dtype',
    async ({ dtype, tolerance, turn }) => {
      const all = dags.map((dag, at) => ({ name: String(at), build: () => trial(dag, at, dtype, tolerance) }));
      const proposals = shareOf(engine, all, turn);
      const { judged, misfits } = await verdictsOf(engine, proposals, AT_ONCE);
      expect(misfits).toEqual([]);
      // What has limits has no float64, and takes only what the host computes for it.
      const mayRefuse = engine.limits !== undefined && dtype === 'float64';
      expect(judged.length).toBeGreaterThanOrEqual(mayRefuse ? 0 : proposals.length);
    },
  );
});

/** A graph with its cost, its gradients and its second derivatives, in the order of the stored results. */
function trial(dag: Dag, graph: number, dtype: DType, tolerance: number): Trial {
  const fed = (kind: string): NdArray[] =>
    Array.from({ length: dag.inputs }, (_, k) => {
      const value = stored(graph, kind, k);
      return array(dtype, value.shape, Array.from(value.data, Number));
    });
  const [values, directions] = [fed('input'), fed('direction')];
  const inputs = values.map(({ shape }, k) => tensor(`input${k}`, dtype, shape));
  const ways = directions.map(({ shape }, k) => tensor(`direction${k}`, dtype, shape));
  const cost = costOf(dag, inputs);
  return {
    inputs: [...inputs, ...ways],
    values: [...values, ...directions],
    outputs: [cost, ...firstAndSecond(cost, inputs, ways)],
    judge: (results) =>
      results.flatMap((result, k) => {
        const off = distance(result, stored(graph, 'result', k));
        return off <= tolerance ? [] : [`result ${k} is off by ${off}`];
      }),
  };
}

function stored(graph: number, kind: string, k: number): NdArray {
  return present(tensors.get(`${graph}.${kind}.${k}`));
}

function costOf(dag: Dag, inputs: readonly Variable[]): Variable {
  const values = valuesOf(dag.nodes, inputs);
  const used = new Set(dag.nodes.flatMap((node) => node.inputs));
  const sinks = values.filter((_, position) => position >= inputs.length && !used.has(position));
  return sinks.map((sink) => mean(sink)).reduce((a, b) => add(a, b));
}
