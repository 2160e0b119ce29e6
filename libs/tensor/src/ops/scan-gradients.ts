import { at } from '../arrays/at.js';
import { Apply } from '../graph/apply.js';
import { Constant, constant } from '../graph/constant.js';
import { DISCONNECTED, Undifferentiable, type InputGradient, type OutputGradient } from '../graph/gradient-flow.js';
import type { InnerGraph } from '../graph/op.js';
import { isFloat } from '../graph/tensor-type.js';
import { Variable } from '../graph/variable.js';
import { graphInputs } from '../graph/walk.js';
import { rebuild } from '../graph/rebuild.js';
import { gradientsInside } from '../gradient/grad.js';
import { add } from './add.js';
import { zerosLike } from './fill.js';
import { identity } from './identity.js';
import { le } from './le.js';
import { minimum } from './minimum.js';
import { refine } from './refine.js';
import { stepHistory, type History } from './scan-history.js';
import { keptOfSteps } from './scan-kept.js';
import { scanInputs, type AppliedScan, type ScanParameters } from './scan-inputs.js';
import { slice } from './slice.js';
import { sub } from './sub.js';
import { unslice } from './unslice.js';
import { where } from './where.js';

/**
 * The gradients of a scan: another scan, over the same steps from the last to the first. It carries the gradients of the states and the
 * sums of those of what is the same in all steps, and collects those of the sequences.
 */
export function scanGradients(
  applied: AppliedScan,
  outputGradients: readonly OutputGradient[],
): readonly InputGradient[] {
  const { inner, parameters } = applied;
  const step = differentiateStep(inner, parameters, outputGradients);
  const inside = scanInputs(inner.inputs, parameters);
  const flowOf = (input: Variable): InputGradient => step.flow.get(input) ?? DISCONNECTED;
  const broken = inside.states.map(flowOf).find((flow) => flow instanceof Undifferentiable);
  if (broken !== undefined) {
    // What comes before a step is reached through this state, and through it alone this cannot be told.
    return [DISCONNECTED, ...inner.inputs.map((input) => (flowOf(input) === DISCONNECTED ? DISCONNECTED : broken))];
  }
  return gradientScan(applied, step, outputGradients);
}

/** The gradients of one step, in terms of the inputs of the inner graph and of gradients of what it gives. */
interface StepGradients {
  /** Of each float input of the inner graph; DISCONNECTED ones may be missing. */
  readonly flow: ReadonlyMap<Variable, InputGradient>;
  /** For each state to which a gradient flows, what stands for the gradient of the state after the step. */
  readonly ofStates: ReadonlyMap<number, Variable>;
  /** For each collected output from which one flows, what stands for a row of its gradient. */
  readonly ofCollected: ReadonlyMap<number, Variable>;
}

function differentiateStep(
  inner: InnerGraph,
  parameters: ScanParameters,
  outputGradients: readonly OutputGradient[],
): StepGradients {
  const { states } = parameters;
  // Two outputs may be one variable, or one be computed from the other: each gets a variable of its own to start from.
  const ends = inner.outputs.map((output) => identity(output));
  const stands = ends.map(({ type }) => new Variable(type, { name: 'gradient' }));
  const wrt = inner.inputs.filter((input) => isFloat(input.dtype));
  const active = new Set(
    inner.outputs.flatMap((output, position) =>
      at(outputGradients, position) === DISCONNECTED || !isFloat(output.dtype) ? [] : [position],
    ),
  );
  for (;;) {
    const known = new Map([...active].map((position) => [at(ends, position), at(stands, position)]));
    const gradients = gradientsInside(wrt, known);
    const flow = new Map<Variable, InputGradient>();
    for (const [position, input] of wrt.entries()) flow.set(input, at(gradients, position));
    // The gradient of a state before a step is that of the state after the one before it.
    const reached = scanInputs(inner.inputs, parameters).states.flatMap((state, position) =>
      active.has(position) || (flow.get(state) ?? DISCONNECTED) === DISCONNECTED ? [] : [position],
    );
    if (reached.length === 0) {
      const pick = (from: number, to: number): Map<number, Variable> =>
        new Map(
          [...active]
            .filter((position) => position >= from && position < to)
            .toSorted((a, b) => a - b)
            .map((position) => [position - from, at(stands, position)]),
        );
      return { flow, ofStates: pick(0, states), ofCollected: pick(states, ends.length) };
    }
    for (const position of reached) active.add(position);
  }
}

/** A sequence of the gradient scan: what a row is called inside, all rows, and whether the forward scan goes through them from the end. */
interface GradientSequence extends History {
  readonly inside: Variable;
}

function gradientScan(
  applied: AppliedScan,
  step: StepGradients,
  outputGradients: readonly OutputGradient[],
): InputGradient[] {
  const { node, inner, parameters, makeScan } = applied;
  const inside = scanInputs(inner.inputs, parameters);
  const outside = scanInputs(node.inputs.slice(1), parameters);
  const flowing = (inputs: readonly Variable[]): number[] =>
    inputs.flatMap((input, position) => (step.flow.get(input) instanceof Variable ? [position] : []));
  // Nothing flows on from a state that a step does not look at.
  const flowOf = (input: Variable, stand: Variable): Variable => {
    const flow = step.flow.get(input);
    return flow instanceof Variable ? refine(flow, stand.type) : zerosLike(stand);
  };

  const sums = flowing(inside.constants).map((position) => {
    const input = at(inside.constants, position);
    return { position, input, stand: new Variable(input.type, { name: `gradient of ${input.toString()}` }) };
  });
  const toSequences = flowing(inside.sequences);
  const gradientsOfStep = [
    ...[...step.ofStates].map(([position, stand]) => flowOf(at(inside.states, position), stand)),
    ...sums.map(({ input, stand }) => add(stand, flowOf(input, stand))),
    ...toSequences.map((position) => flowOf(at(inside.sequences, position), at(inside.sequences, position))),
  ];

  const collected = new Set(inner.outputs.slice(parameters.states));
  const kept = new Map(
    keptOfSteps(inner, collected, gradientsOfStep).map((variable) => [
      variable,
      new Variable(variable.type, variable.name === undefined ? {} : { name: variable.name }),
    ]),
  );
  const { outputs } = rebuild(gradientsOfStep, () => undefined, { replacements: kept });

  const used = new Set(graphInputs(outputs));
  const range = lastSteps(at(node.inputs, 0), parameters.truncateGradient);
  const sequences = sequencesOf(applied, step, outputGradients, { used, kept }).filter((one) => used.has(one.inside));
  const constants = inside.constants.flatMap((input, position) =>
    used.has(input) ? [{ inside: input, outside: at(outside.constants, position) }] : [],
  );
  const op = makeScan(
    {
      inputs: [
        ...sequences.map((one) => one.inside),
        ...step.ofStates.values(),
        ...sums.map(({ stand }) => stand),
        ...constants.map((one) => one.inside),
      ],
      outputs,
    },
    {
      backwardInputs: sequences.map(({ backward }) => !backward),
      states: step.ofStates.size + sums.length,
      backwardOutputs: toSequences.map((position) => !at(parameters.backwardInputs, position)),
      truncateGradient: null,
    },
  );
  const gradients = new Apply(op, [
    range.count,
    ...sequences.map(({ rows, backward }) => range.of(rows, backward)),
    ...[...step.ofStates.keys()].map((position) => {
      const gradient = at(outputGradients, position);
      return gradient === DISCONNECTED ? zerosLike(node.outputAt(position)) : gradient;
    }),
    ...sums.map(({ position }) => zerosLike(at(outside.constants, position))),
    ...constants.map((one) => one.outside),
  ]);

  const results = new Map<Variable, InputGradient>();
  const order = [...step.ofStates.keys()];
  for (const [index, position] of order.entries()) {
    results.set(at(inside.states, position), range.ofFirst(gradients.outputAt(index)));
  }
  for (const [index, { position }] of sums.entries()) {
    results.set(at(inside.constants, position), gradients.outputAt(order.length + index));
  }
  for (const [index, position] of toSequences.entries()) {
    const part = gradients.outputAt(order.length + sums.length + index);
    results.set(
      at(inside.sequences, position),
      range.back(part, at(outside.sequences, position), at(parameters.backwardInputs, position)),
    );
  }
  const answer = (input: Variable): InputGradient => {
    const flow = step.flow.get(input) ?? DISCONNECTED;
    return results.get(input) ?? (flow instanceof Undifferentiable ? flow : DISCONNECTED);
  };
  return [DISCONNECTED, ...[...inside.sequences, ...inside.states, ...inside.constants].map(answer)];
}

/** All that a step of the gradients may be computed from: what the step read, the states before it, what is kept of it, the gradients of what it gave. */
function sequencesOf(
  applied: AppliedScan,
  step: StepGradients,
  outputGradients: readonly OutputGradient[],
  { used, kept }: { readonly used: ReadonlySet<Variable>; readonly kept: ReadonlyMap<Variable, Variable> },
): GradientSequence[] {
  const { node, inner, parameters } = applied;
  const inside = scanInputs(inner.inputs, parameters);
  const { backwardInputs, backwardOutputs, states } = parameters;
  const outside = scanInputs(node.inputs.slice(1), parameters);
  const history = stepHistory(applied, (state) => used.has(state), [...kept.keys()]);
  return [
    ...inside.sequences.map((input, position) => ({
      inside: input,
      rows: at(outside.sequences, position),
      backward: at(backwardInputs, position),
    })),
    ...[...history].map(([variable, { rows, backward }]) => ({
      inside: kept.get(variable) ?? variable,
      rows,
      backward,
    })),
    ...[...step.ofCollected].flatMap(([position, stand]) => {
      const gradient = at(outputGradients, states + position);
      return gradient === DISCONNECTED
        ? []
        : [{ inside: stand, rows: gradient, backward: at(backwardOutputs, position) }];
    }),
  ];
}

/** The last steps of a scan, those that gradients come from. */
interface StepRange {
  readonly count: Variable;
  /** The rows of these steps, of a sequence that the scan goes through from its start or its end. */
  of(rows: Variable, backward: boolean): Variable;
  /** `part`, rows of these steps, with zeros for all others, of the shape of `like`. */
  back(part: Variable, like: Variable, backward: boolean): Variable;
  /** The gradient of the first states: zeros where there are steps that gradients do not come from. */
  ofFirst(gradient: Variable): Variable;
}

function lastSteps(steps: Variable, truncateGradient: number | null): StepRange {
  const isAll = truncateGradient === null || (steps instanceof Constant && steps.toNumber() <= truncateGradient);
  if (isAll) return { count: steps, of: (rows) => rows, back: (part) => part, ofFirst: (gradient) => gradient };
  const known = steps instanceof Constant;
  const count = known ? constant(truncateGradient, 'int64') : minimum(steps, truncateGradient);
  const start = known ? constant(steps.toNumber() - truncateGradient, 'int64') : sub(steps, count);
  return {
    count,
    of: (rows, backward) => (backward ? slice(rows, 0, count) : slice(rows, start, steps)),
    back: (part, like, backward) => unslice(part, like, backward ? constant(0, 'int64') : start, 0),
    ofFirst: (gradient) =>
      known ? zerosLike(gradient) : where(le(steps, truncateGradient), gradient, zerosLike(gradient)),
  };
}
