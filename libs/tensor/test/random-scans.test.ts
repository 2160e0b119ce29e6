import { sizeOf, type DType, type NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import { add, constant, grad, isFloat, log, mul, scan, square, sum, tensor } from '../src/index.js';
import { distance, firstAndSecond } from './derivatives.js';
import { shareOf, WITHOUT_ROUNDING } from './engines.js';
import { valuesOf, type GraphNode, type ScanNode } from './golden/random-graphs.js';
import { inputsOf, resultOf, SCAN_GRAPHS, type ScanGraph } from './golden/scan-goldens.js';
import { array, expectClose, present } from './op-laws.js';
import { verdictsOf, type Trial } from './trials.js';

/** How far a value may be from PyTorch's, as a part of the largest of its array, or of 1. */
const tolerances = [
  { dtype: 'float64', tolerance: 1e-12, turn: 0 },
  { dtype: 'float32', tolerance: 1e-4, turn: 1 },
] as const;

/** How many graphs are run as one function. */
const AT_ONCE = 6;

describe.each(WITHOUT_ROUNDING)('on $name', (engine) => {
  const own = tolerances.filter(({ dtype }) => dtype === 'float32' || engine.widest !== 'float32');

  test.each(own)(
    'random scans have the values and the first and second derivatives of PyTorch: $dtype',
    async ({ dtype, tolerance, turn }) => {
      const all = SCAN_GRAPHS.map((graph, at) => ({
        name: `seed ${graph.seed}`,
        build: () => trial(graph, at, dtype, tolerance),
      }));
      const proposals = shareOf(engine, all, turn);
      const { judged, misfits } = await verdictsOf(engine, proposals, AT_ONCE);
      expect(misfits).toEqual([]);
      expect(judged).toHaveLength(proposals.length);
    },
  );

  test('rows that are counted for several scans are as many for the last of them', async () => {
    const [x, s] = [tensor('x', 'float32', [null]), tensor('s', 'float32', [null])];
    const [repeated] = scan((_row, last) => last, { sequences: [x], outputsInfo: [s] });
    const cost = add(sum(square(present(repeated))), sum(square(log(s))));
    const [gradient] = grad(cost, [s]);
    const [second] = grad(sum(mul(present(gradient), constant(array('float32', [2], [1, -0.5])))), [s]);
    const [rows, values] = [3, [1, 1.25] as const];
    const fed = [array('float32', [rows], [0, 0, 0]), array('float32', [2], [...values])];
    const found = await engine.run([x, s], [present(repeated), present(gradient), present(second)], fed);
    const expected = [
      array('float32', [rows, 2], [...values, ...values, ...values]),
      array(
        'float32',
        [2],
        values.map((v) => 2 * rows * v + (2 * Math.log(v)) / v),
      ),
      array(
        'float32',
        [2],
        values.map((v, at) => (at === 0 ? 1 : -0.5) * (2 * rows + (2 * (1 - Math.log(v))) / v ** 2)),
      ),
    ];
    for (const [at, value] of expected.entries()) expectClose(present(found[at]), value, 1e-5);
  });
});

/** What a scan may have, each of which some of the graphs must. */
const FEATURES: Readonly<Record<string, (scan: ScanNode, depth: number) => boolean>> = {
  'several sequences': ({ sequences }) => sequences.length > 1,
  'taps of sequences': ({ sequences }) => sequences.some(({ taps }) => taps.length > 1),
  'several states': ({ states }) => states.filter((state) => state !== null).length > 1,
  'taps of states': ({ states }) => states.some((state) => Math.min(...(state?.taps ?? [])) < -1),
  'no state': ({ states }) => states.every((state) => state === null),
  nonSequences: ({ nonSequences }) => nonSequences.length > 0,
  'several outputs': ({ outputs }) => outputs.length > 1,
  goBackwards: ({ goBackwards }) => goBackwards,
  truncateGradient: ({ truncateGradient }) => truncateGradient !== null,
  'nSteps that are an input': ({ nSteps }) => nSteps !== null && typeof nSteps === 'object',
  'nSteps without sequences': ({ sequences }) => sequences.length === 0,
  'nSteps with sequences': ({ sequences, nSteps }) => sequences.length > 0 && nSteps !== null,
  'a scan inside': (_, depth) => depth > 0,
  'a choice inside': ({ nodes }) => nodes.some((node) => 'ifElse' in node),
};

describe('among the graphs are some', () => {
  const found = SCAN_GRAPHS.flatMap(({ nodes }) => scansOf(nodes, 0));

  test.each(Object.entries(FEATURES))('with %s', (_, has) => {
    expect(found.filter((inner) => has(inner.scan, inner.depth)).length).toBeGreaterThanOrEqual(5);
  });

  test('that make no step', () => {
    const empty = SCAN_GRAPHS.filter(({ outputs }, at) => outputs.some((_, k) => resultOf(at, k + 1).shape[0] === 0));
    expect(empty.length).toBeGreaterThanOrEqual(5);
  });

  test('with sizes that are not told', () => {
    const untold = SCAN_GRAPHS.filter(({ shapes }) => shapes.flat().includes(null));
    expect(untold.length).toBeGreaterThanOrEqual(20);
  });
});

/** The scans of a graph, those within others and within choices too. */
function scansOf(nodes: readonly GraphNode[], depth: number): { scan: ScanNode; depth: number }[] {
  return nodes.flatMap((node) => {
    if ('scan' in node) return [{ scan: node.scan, depth }, ...scansOf(node.scan.nodes, depth + 1)];
    return 'ifElse' in node ? node.ifElse.branches.flatMap((branch) => scansOf(branch.nodes, depth)) : [];
  });
}

/** A graph with its cost, its outputs, its gradients and its second derivatives, in the order of the stored results. */
function trial(graph: ScanGraph, at: number, dtype: DType, tolerance: number): Trial {
  const fed = inputsOf(at).map((value) =>
    isFloat(value.dtype) ? array(dtype, value.shape, Array.from(value.data, Number)) : value,
  );
  const inputs = fed.map((value, k) => tensor(`input${k}`, value.dtype, present(graph.shapes[k])));
  const values = valuesOf(graph.nodes, inputs);
  const [outputs, costs] = [graph.outputs, graph.costs].map((positions) =>
    positions.map((position) => present(values[position])),
  );
  const cost = present(costs)
    .map((output) => sum(square(output)))
    .reduce((a, b) => add(a, b));
  const floats = inputs.flatMap((input, k) => (isFloat(input.dtype) ? [k] : []));
  const derivatives = firstAndSecond(
    cost,
    floats.map((k) => present(inputs[k])),
    floats.map((k) => constant(direction(dtype, present(fed[k]).shape, k))),
  );
  return {
    inputs,
    values: fed,
    outputs: [cost, ...present(outputs), ...derivatives],
    judge: (results) =>
      results.flatMap((result, k) => {
        const off = distance(result, resultOf(at, k));
        return off <= tolerance ? [] : [`result ${k} is off by ${off}`];
      }),
  };
}

/** As in make_scan_goldens.py. */
function direction(dtype: DType, shape: readonly number[], at: number): NdArray {
  const values = Array.from({ length: sizeOf(shape) }, (_, element) => (((element * 5 + at * 3) % 11) - 5) / 4);
  return array(dtype, shape, values);
}
