import { sizeOf, type NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import { grad, isFloat, tensor, TensorTypeError, transpose, Variable } from '../src/index.js';
import * as ops from '../src/ops/index.js';
import { withDenormals, withQuotients } from './denormals.js';
import { ENGINES, type TestedEngine } from './engines.js';
import { BUILDERS, NOT_YET_THERE, type Builder, WITHOUT_GOLDENS } from './golden/builders.js';
import { KNOWN_FAULTS } from './golden/known-faults.js';
import { opGoldens, type OpGolden } from './golden/op-golden.js';
import { array, inputFor, present } from './op-laws.js';
import { verdictsOf, type Misfit, type Trial } from './trials.js';
import { misfit } from './ulps.js';

const goldens = opGoldens();

/** Ops whose goldens divide by numbers beyond 2^126. */
const DIVIDING: ReadonlySet<string> = new Set(['div', 'softsign']);

const ways = ['as it is', 'of sizes unknown', 'of transposed inputs'] as const;
type Way = (typeof ways)[number];

/** How many goldens are run as one function. */
const AT_ONCE = 12;

describe.each(ENGINES)('on $name', (engine) => {
  test.each(Object.entries(BUILDERS))('%s', async (op, build) => {
    const faults = KNOWN_FAULTS.filter(
      (fault) => fault.op === op && (fault.engines?.includes(engine.name) ?? true),
    ).flatMap(({ goldens: names }) => names);
    const judged: string[] = [];
    const misfits: Misfit[] = [];
    const all = present(goldens.get(op));
    for (const some of engine.setsEmptyApart === true ? [all.filter(isFull), all.filter(isEmpty)] : [all]) {
      const proposals = some.flatMap((golden) =>
        waysOf(golden).map((way) => ({
          name: `${golden.name}, ${way}`,
          build: () => trial(build, golden, way, engine),
        })),
      );
      const verdicts = await verdictsOf(engine, proposals, AT_ONCE);
      judged.push(...verdicts.judged);
      misfits.push(...verdicts.misfits);
    }
    const isOf = (tried: string, name: string): boolean => ways.some((way) => tried === `${name}, ${way}`);
    expect(misfits.filter((found) => !faults.some((name) => isOf(found.trial, name)))).toEqual([]);
    expect(judged.length).toBeGreaterThan(0);
    const right = faults.filter(
      (name) => judged.some((tried) => isOf(tried, name)) && !misfits.some((found) => isOf(found.trial, name)),
    );
    expect(right, 'are no longer wrong; take them out of known-faults.ts').toEqual([]);
  });
});

test('every golden is of an op that is here or is listed as not yet there', () => {
  expect([...goldens.keys()].toSorted()).toEqual([...Object.keys(BUILDERS), ...Object.keys(NOT_YET_THERE)].toSorted());
});

test('every op is compared with its goldens', () => {
  const applied = Object.entries(ops).flatMap(([name, value]) => ('opName' in value ? [] : [name]));
  expect(applied.filter((name) => !(name in BUILDERS) && !(name in WITHOUT_GOLDENS))).toEqual([]);
});

const missing = Object.entries(NOT_YET_THERE).flatMap(([name, entry]) =>
  entry.missing === undefined ? [] : [{ name, attempt: entry.missing }],
);

test.each(missing)('there is no $name yet', ({ attempt }) => {
  expect(attempt).toThrow(TensorTypeError);
});

function isEmpty({ inputs }: OpGolden): boolean {
  return inputs.some(({ shape }) => shape.includes(0));
}

function isFull(golden: OpGolden): boolean {
  return !isEmpty(golden);
}

function waysOf({ inputs }: OpGolden): readonly Way[] {
  if (inputs[0]?.dtype !== 'float32') return ['as it is'];
  return ways.filter((way) => way !== 'of transposed inputs' || inputs.some(({ shape }) => shape.length > 1));
}

/** What a golden is tried by, whatever engine it is tried on. */
interface Graph extends Pick<Trial, 'inputs' | 'values' | 'outputs'> {
  /** Of the outputs, those that are no gradients. */
  readonly results: readonly Variable[];
}

/** Those that were built: to build them takes as long as to run them. */
const built = new Map<OpGolden, Map<Way, Graph>>();

function trial(build: Builder, golden: OpGolden, way: Way, engine: TestedEngine): Trial {
  const known = built.get(golden) ?? new Map<Way, Graph>();
  built.set(golden, known);
  const graph = known.get(way) ?? graphOf(build, golden, way);
  known.set(way, graph);
  return { ...graph, judge: (results) => compared(golden, graph.results, results, way, engine) };
}

function graphOf(build: Builder, golden: OpGolden, way: Way): Graph {
  const fed = golden.inputs.map((value) => (way === 'of transposed inputs' ? transposed(value) : value));
  const inputs = fed.map((value, at) => inputFor(value, at, way === 'of sizes unknown' ? 'ones' : 'all sizes'));
  const given = build(
    inputs.map((input) => (way === 'of transposed inputs' ? transpose(input) : input)),
    golden.parameters,
  );
  const outputs = given instanceof Variable ? [given] : given;
  const known = new Map<Variable, Variable>();
  const weights: NdArray[] = [];
  for (const [at, weight] of golden.outputGradients.entries()) {
    if (weight === undefined) continue;
    const output = present(outputs[at]);
    known.set(output, tensor(`weights${at}`, output.dtype, output.shape));
    weights.push(weight);
  }
  const wrt = inputs.filter((input) => isFloat(input.dtype));
  const gradients = known.size === 0 ? [] : grad(null, wrt, { knownGrads: known, disconnectedInputs: 'zero' });
  return {
    inputs: [...inputs, ...known.values()],
    values: [...fed, ...weights],
    outputs: [...outputs, ...gradients],
    results: outputs,
  };
}

function compared(
  golden: OpGolden,
  outputs: readonly Variable[],
  results: readonly NdArray[],
  way: Way,
  { flushesDenormals = false, flushesReciprocals = false, approximates }: TestedEngine,
): string[] {
  const wrong: string[] = [];
  const mendsQuotients = flushesReciprocals && DIVIDING.has(golden.op);
  const check = (what: string, actual: NdArray, expected: NdArray, scale: number | NdArray | undefined): void => {
    const whole = flushesDenormals ? withDenormals(actual, expected, golden.inputs) : actual;
    const found = mendsQuotients ? withQuotients(whole, expected, golden.inputs) : whole;
    const sentence =
      approximates === undefined
        ? misfit(found, expected, { ulps: golden.ulps, ...(scale === undefined ? {} : { scale }) })
        : misfit(found, expected, {
            ulps: Math.max(golden.ulps, approximates(golden.op)),
            scale: atLeast(1 / 64, scale),
          });
    if (sentence !== undefined) wrong.push(`${what} ${sentence}`);
  };
  for (const [at, expected] of golden.outputs.entries())
    check(`output ${at}`, present(results[at]), expected, golden.scales[at]);
  if (outputs.length !== golden.outputs.length)
    wrong.push(`has ${outputs.length} outputs, not ${golden.outputs.length}`);
  let next = outputs.length;
  for (const [at, expected] of golden.gradients.entries()) {
    if (!isFloat(present(golden.inputs[at]).dtype)) continue;
    const gradient = present(results[next]);
    next += 1;
    if (expected === undefined) continue;
    const actual = way === 'of transposed inputs' ? transposed(gradient) : gradient;
    check(`gradient ${at}`, actual, expected, golden.gradientScales[at]);
  }
  return wrong;
}

function atLeast(least: number, scale: number | NdArray | undefined = 0): number | NdArray {
  if (typeof scale === 'number') return Math.max(least, scale);
  const sizes = Array.from({ length: scale.data.length }, (_, at) => Math.max(least, Number(scale.data[at])));
  return array(scale.dtype, scale.shape, sizes);
}

/** The array with its axes in reverse order. */
function transposed(value: NdArray): NdArray {
  const shape = value.shape.toReversed();
  const values = Array.from({ length: sizeOf(shape) }, (_, at) => {
    let [rest, offset] = [at, 0];
    const index = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      index[axis] = rest % present(shape[axis]);
      rest = Math.floor(rest / present(shape[axis]));
    }
    for (const [axis, size] of value.shape.entries()) offset = offset * size + present(index[shape.length - 1 - axis]);
    return Number(value.data[offset]);
  });
  return array(value.dtype, shape, values);
}
