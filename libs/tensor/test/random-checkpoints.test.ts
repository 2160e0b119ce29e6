import type { NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  add,
  compile,
  grad,
  index,
  isFloat,
  scan,
  scanCheckpoints,
  square,
  stack,
  sum,
  tensor,
  Variable,
} from '../src/index.js';
import { distance } from './derivatives.js';
import { valuesOf, type BuildScan, type GraphNode, type ScanNode } from './golden/random-graphs.js';
import { inputsOf, SCAN_GRAPHS } from './golden/scan-goldens.js';
import { present } from './op-laws.js';

/** The first scan of a random graph, in the words of `scanCheckpoints`. */
interface Candidate {
  readonly seed: number;
  readonly node: ScanNode;
  readonly fed: readonly NdArray[];
  readonly steps: number;
}

const candidates = SCAN_GRAPHS.flatMap(({ seed, nodes: [first] }, graph): Candidate[] => {
  if (first === undefined || !('scan' in first)) return [];
  const { scan: node } = first;
  const isPlain =
    node.sequences.every(({ taps }) => String(taps) === '0') &&
    node.states.every((state) => state === null || String(state.taps) === '-1') &&
    (node.sequences.length === 0 || node.nSteps === null);
  const fed = inputsOf(graph);
  const steps = stepsOf(node, fed);
  if (!isPlain || steps === 0) return [];
  const nSteps = node.sequences.length === 0 ? steps : null;
  return [{ seed, node: { ...node, nSteps, goBackwards: false, truncateGradient: null }, fed, steps }];
});

test('enough of the random scans can have checkpoints, in more parts than one', () => {
  expect(candidates.length).toBeGreaterThanOrEqual(12);
  expect(candidates.filter(({ steps }) => steps > 2).length).toBeGreaterThanOrEqual(6);
});

describe.each(['reference', 'onnxruntime'] as const)('on %s', (engine) => {
  test.each([1, 2, 3])(
    'random scans with checkpoints every %d steps have the bits of those without, and but for sums over the steps their gradients',
    async (saveEvery) => {
      const off: string[] = [];
      for (const candidate of candidates) {
        const without = await resultsOf(candidate, engine, endsOfParts(candidate.steps, saveEvery));
        const found = await resultsOf(candidate, engine, withCheckpoints(candidate.node, saveEvery));
        const isSum = [...candidate.node.outputs.map(() => false), ...summed(candidate)];
        expect(found).toHaveLength(isSum.length);
        for (const [k, result] of found.entries()) {
          const wanted = present(without[k]);
          // What the steps have in common is summed part by part, so that its last bits may differ.
          const isEqual = present(isSum[k]) ? distance(result, wanted) <= 1e-14 : hasBitsOf(result, wanted);
          if (!isEqual) off.push(`seed ${candidate.seed}, result ${k}`);
        }
      }
      expect(off).toEqual([]);
    },
  );
});

function stepsOf({ sequences: [first], nSteps }: ScanNode, fed: readonly NdArray[]): number {
  if (first !== undefined) return present(present(fed[first.input]).shape[0]);
  if (typeof nSteps === 'number') return nSteps;
  return Number(present(present(fed[present(nSteps ?? undefined).input]).data[0]));
}

/** The outputs of the scan as `through` makes it, and the gradients of the sum of their squares. */
async function resultsOf({ node, fed }: Candidate, engine: string, through: BuildScan): Promise<NdArray[]> {
  const inputs = fed.map((value, k) => tensor(`input${k}`, value.dtype, value.shape));
  let isOuter = true;
  const outermost: BuildScan = (step, options) => {
    const build = isOuter ? through : scan;
    isOuter = false;
    return build(step, options);
  };
  const outputs = valuesOf([{ scan: node }], inputs, outermost).slice(inputs.length);
  const floats = inputs.filter(({ dtype }) => isFloat(dtype));
  const costs = [...outputs, ...floats].filter(({ dtype }) => isFloat(dtype)).map((output) => sum(square(output)));
  const gradients = grad(
    costs.reduce((a, b) => add(a, b)),
    floats,
  );
  const compiled = await compile({
    inputs,
    outputs: [...outputs, ...gradients],
    engine,
    threads: 1,
    onUnusedInput: 'ignore',
  });
  const results = await compiled.run(fed);
  await compiled.dispose();
  return results;
}

/** A scan, and of its values those after every few steps and after the last. */
function endsOfParts(steps: number, saveEvery: number): BuildScan {
  const ends = Array.from({ length: Math.ceil(steps / saveEvery) }, (_, part) =>
    Math.min(steps, (part + 1) * saveEvery),
  );
  return (step, options) => scan(step, options).map((values) => stack(ends.map((end) => index(values, end - 1))));
}

function withCheckpoints({ nSteps }: ScanNode, saveEvery: number): BuildScan {
  return (step, { sequences = [], outputsInfo, nonSequences = [] }) =>
    scanCheckpoints(step, {
      sequences: sequences.map((sequence) => (sequence instanceof Variable ? sequence : sequence.input)),
      outputsInfo: outputsInfo.map((info) => (info === null || info instanceof Variable ? info : info.initial)),
      nonSequences,
      ...(typeof nSteps === 'number' ? { nSteps } : {}),
      saveEvery,
    });
}

/** Of each input of floats, whether its gradient is a sum over the steps. */
function summed({ node, fed }: Candidate): boolean[] {
  const common = new Set([...node.nonSequences, ...positionsIn(node.nodes), ...node.outputs]);
  return fed.flatMap((value, position) => (isFloat(value.dtype) ? [common.has(position)] : []));
}

function positionsIn(nodes: readonly GraphNode[]): number[] {
  return nodes.flatMap((node) => {
    if ('op' in node) return node.inputs;
    if ('ifElse' in node) {
      const { condition, branches } = node.ifElse;
      return [condition, ...branches.flatMap((branch) => [...positionsIn(branch.nodes), ...branch.outputs])];
    }
    const { sequences, states, nonSequences, outputs } = node.scan;
    const given = [...sequences.map(({ input }) => input), ...states.flatMap((state) => state?.initial ?? [])];
    return [...given, ...nonSequences, ...positionsIn(node.scan.nodes), ...outputs];
  });
}

function hasBitsOf(actual: NdArray, expected: NdArray): boolean {
  const isSame = (value: number | bigint, at: number): boolean => Object.is(value, expected.data[at]);
  return String(actual.shape) === String(expected.shape) && Array.from<number | bigint>(actual.data).every(isSame);
}
