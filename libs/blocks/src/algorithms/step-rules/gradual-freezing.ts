import type { Json } from '@longrun/serialization';
import { add, and, ge, lt, or, where, type SharedVariable, type Variable } from '@longrun/tensor';

import { forParameter } from '../algorithm-state.js';
import { StepRule, type StepRuleOptions, type Steps, type StepsAndUpdates } from './step-rule.js';
import { tellingTrained, type TrainedNow } from './trained-now.js';

/** When some parameters are frozen. */
export interface FrozenSpan {
  /** Parameters that are trained: `select(cost).below('encoder').role(PARAMETER)`. */
  readonly parameters: Iterable<Variable>;
  /** How many steps are done when they freeze. Default 0. */
  readonly from?: number;
  /** How many steps are done when they are trained again. Default: never. */
  readonly until?: number;
}

/**
 * A rule under which parameters are frozen, and trained again, as training goes on: layers of what was trained before one after the other (Howard and Ruder, 2018), or those that are done (Brock
 * et al., 2017). To freeze some for good, `select(cost).role(WEIGHT).freeze()` leaves them out of the graph of gradients.
 *
 * While a parameter is frozen, it keeps its bits and what the rule remembers of it; to the rule its gradient is 0, so that it adds nothing to a norm.
 * `Adam`, `AdamW` and `AMSGrad` count the steps of a parameter by those at which it is trained, as PyTorch does: one that is first trained after thousands of steps goes as it would have gone from the start. What
 * happens to all parameters at once goes by all steps: `Schedule`, when the slow weights of `Lookahead` follow, and when `GradientAccumulation` makes a step.
 *
 * Buffer: one `time` for all.
 */
export class GradualFreezing extends StepRule {
  readonly stepRule: StepRule;
  /** Steps done. */
  readonly time: SharedVariable;
  readonly #spans: readonly {
    readonly parameters: ReadonlySet<Variable>;
    readonly from: number;
    readonly until: number;
  }[];

  /** @throws Error for a span without parameters, or one that ends before it begins */
  constructor(stepRule: StepRule, spans: readonly FrozenSpan[], options: StepRuleOptions = {}) {
    super(options);
    this.stepRule = stepRule;
    this.#spans = spans.map(({ parameters, from = 0, until = Infinity }, at) => {
      if (!(from >= 0 && until > from)) {
        throw new Error(`${this.name}: span ${at} is from ${from} until ${until}; let it end after it begins`);
      }
      const frozen = new Set(parameters);
      if (frozen.size === 0)
        throw new Error(`${this.name}: span ${at} has no parameters; select some that are trained`);
      return { parameters: frozen, from, until };
    });
    this.time = this.scalarBuffer('time', 0);
  }

  /** @throws Error when a parameter of a span is not trained */
  override computeSteps(previous: Steps): StepsAndUpdates {
    const trained = new Set<Variable>(previous.keys());
    const stranger = this.#spans.flatMap(({ parameters }) => [...parameters]).find((one) => !trained.has(one));
    if (stranger !== undefined) {
      throw new Error(`${this.name}: ${stranger.toString()} is not trained; leave it out, or train it`);
    }
    const isTrained = this.#trainedNow(previous.keys());
    /** `value` while the parameter is trained, else `other`. */
    const unlessFrozen = (
      parameter: SharedVariable | undefined,
      value: Variable,
      other: Variable | number,
    ): Variable => {
      const condition = parameter === undefined ? undefined : isTrained.get(parameter);
      return condition === undefined ? value : where(condition, value, other);
    };
    const seen = new Map([...previous].map(([parameter, step]) => [parameter, unlessFrozen(parameter, step, 0)]));
    const inner = tellingTrained(isTrained, () => this.stepRule.computeSteps(seen));
    const updates = inner.updates.map(
      ([variable, value]) => [variable, unlessFrozen(forParameter(variable), value, variable)] as const,
    );
    return {
      steps: new Map([...inner.steps].map(([parameter, step]) => [parameter, unlessFrozen(parameter, step, 0)])),
      updates: [...updates, [this.time, add(this.time, 1)]],
    };
  }

  override identity(): Json {
    return { gradualFreezing: this.stepRule.identity() };
  }

  /** Of the parameters of spans, whether they are trained at this step. */
  #trainedNow(parameters: Iterable<SharedVariable>): TrainedNow {
    const bySpans = new Map<string, Variable>();
    const trained = new Map<SharedVariable, Variable>();
    for (const parameter of parameters) {
      const spans = this.#spans.flatMap(({ parameters: frozen }, at) => (frozen.has(parameter) ? [at] : []));
      const condition = bySpans.get(String(spans)) ?? this.#isOutside(spans);
      if (condition === undefined) continue;
      bySpans.set(String(spans), condition);
      trained.set(parameter, condition);
    }
    return trained;
  }

  /** Whether this step is in none of some spans; undefined where there are none. */
  #isOutside(spans: readonly number[]): Variable | undefined {
    const conditions = this.#spans
      .filter((_, at) => spans.includes(at))
      .map(({ from, until }) => or(lt(this.time, from), ge(this.time, until)));
    return conditions.reduce<Variable | undefined>((all, one) => (all === undefined ? one : and(all, one)), undefined);
  }
}
