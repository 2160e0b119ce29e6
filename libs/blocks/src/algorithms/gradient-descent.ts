import type { Json } from '@longrun/serialization';
import { add, grad, madeFor, sqrt, square, sub, sum, type SharedVariable, type Variable } from '@longrun/tensor';

import { ComputationGraph } from '../graph/computation-graph.js';
import { Scale } from './step-rules/scale.js';
import type { StepRule, Steps } from './step-rules/step-rule.js';
import { UpdatesAlgorithm, type UpdatesAlgorithmOptions } from './updates-algorithm.js';

/** Options of {@link GradientDescent}: a cost, or gradients. */
export interface GradientDescentOptions extends Omit<UpdatesAlgorithmOptions, 'updates'> {
  /** A scalar. */
  readonly cost?: Variable;
  /** What to train. Default: the parameters of the graph of `cost` that are not frozen, or the keys of `gradients`. */
  readonly parameters?: readonly SharedVariable[];
  /** Default `new Scale()`. */
  readonly stepRule?: StepRule;
  /** The gradients, in place of those of the cost. (Their order is that of the map, so Blocks' error for unordered dicts is not needed.) */
  readonly gradients?: ReadonlyMap<SharedVariable, Variable>;
  /** As in `grad`. Only with a cost. */
  readonly knownGrads?: ReadonlyMap<Variable, Variable>;
  /** As in `grad`. Only with a cost. */
  readonly considerConstant?: Iterable<Variable>;
}

/**
 * Minimizes a cost: with each batch, the step that the step rule makes of its gradient is subtracted from each parameter. What annotations of the graph ask
 * to be updated with each run, such as the states that noise is drawn from, is updated too.
 */
export class GradientDescent extends UpdatesAlgorithm {
  readonly cost: Variable | undefined;
  readonly stepRule: StepRule;
  readonly gradients: Steps;
  readonly steps: Steps;
  #totalGradientNorm: Variable | undefined;
  #totalStepNorm: Variable | undefined;

  /** @throws Error when there is nothing to train, or neither cost nor gradients */
  constructor(options: GradientDescentOptions) {
    super(options);
    this.cost = options.cost;
    this.stepRule = options.stepRule ?? new Scale();
    this.gradients = gradientsOf(options);
    const { steps, updates, updated } = madeFor(
      () => '(step rule)',
      () => stepsOf(this.stepRule, this.gradients),
    );
    this.steps = steps;
    this.addUpdates(updated);
    this.addUpdates(updates);
    this.addUpdates(new ComputationGraph(this.cost ?? [...this.gradients.values()]).updates);
  }

  override get parameters(): readonly SharedVariable[] {
    return [...this.gradients.keys()];
  }

  override get outputs(): readonly Variable[] {
    return this.cost === undefined ? super.outputs : [this.cost];
  }

  override identity(): Json {
    return { algorithm: 'GradientDescent', stepRule: this.stepRule.identity() };
  }

  /** L2 norm of all gradients together. */
  get totalGradientNorm(): Variable {
    return (this.#totalGradientNorm ??= l2Norm(this.gradients.values(), 'total_gradient_norm'));
  }

  /** L2 norm of all steps together. */
  get totalStepNorm(): Variable {
    return (this.#totalStepNorm ??= l2Norm(this.steps.values(), 'total_step_norm'));
  }
}

/** The steps of a rule, its own updates, and the parameters after the step. */
function stepsOf(rule: StepRule, gradients: Steps) {
  const { steps, updates } = rule.computeSteps(gradients);
  return { steps, updates, updated: [...steps].map(([parameter, step]) => [parameter, sub(parameter, step)] as const) };
}

function gradientsOf(options: GradientDescentOptions): Map<SharedVariable, Variable> {
  const { cost, gradients } = options;
  if ((cost === undefined) === (gradients === undefined)) {
    throw new Error('GradientDescent: give either a cost or gradients');
  }
  const parameters =
    options.parameters ??
    (cost === undefined ? [...(gradients?.keys() ?? [])] : new ComputationGraph(cost).trainableParameters);
  if (parameters.length === 0) {
    throw new Error(
      'GradientDescent: there are no parameters to train; the cost depends on none, all are frozen, or the list is empty',
    );
  }
  if (gradients !== undefined) return selected(gradients, parameters);
  if (cost === undefined) throw new Error('GradientDescent: give either a cost or gradients');
  const computed = grad(cost, parameters, {
    ...(options.knownGrads === undefined ? {} : { knownGrads: options.knownGrads }),
    ...(options.considerConstant === undefined ? {} : { considerConstant: options.considerConstant }),
  });
  return new Map(
    computed.map((gradient, at) => {
      const parameter = parameters[at];
      if (parameter === undefined) throw new Error('grad gave more gradients than it was asked for');
      return [parameter, gradient] as const;
    }),
  );
}

function selected(
  gradients: ReadonlyMap<SharedVariable, Variable>,
  parameters: readonly SharedVariable[],
): Map<SharedVariable, Variable> {
  return new Map(
    parameters.map((parameter) => {
      const gradient = gradients.get(parameter);
      if (gradient === undefined)
        throw new Error(`GradientDescent: there is no gradient for ${parameter.toString()}; add it`);
      return [parameter, gradient] as const;
    }),
  );
}

function l2Norm(variables: Iterable<Variable>, name: string): Variable {
  const norm = sqrt([...variables].map((variable) => sum(square(variable))).reduce((total, one) => add(total, one)));
  norm.name = name;
  return norm;
}
