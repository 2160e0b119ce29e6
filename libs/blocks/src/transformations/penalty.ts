import { abs, add, cast, mul, square, sum, type SharedVariable, type Variable } from '@longrun/tensor';

import { hyperparameter } from '../algorithms/algorithm-state.js';
import { addAnnotation, Annotation } from '../graph/annotations.js';
import type { ComputationGraph } from '../graph/computation-graph.js';
import { addRole, COST } from '../roles.js';
import { GraphChange } from '../selection/graph-change.js';
import { floatOf } from './noise.js';

/** Options of {@link applyPenalty}: one of the two, or both. */
export interface PenaltyOptions {
  /** What the sum of all absolute values is multiplied by. */
  readonly l1?: number;
  /** What the sum of all squares is multiplied by. A half of what PyTorch calls weight decay: its gradient is twice that times the variable. */
  readonly l2?: number;
  /** Starts the names of the hyperparameters, `penalty.l1` and `penalty.l2`. Default `penalty`. */
  readonly name?: string;
}

/** What {@link applyPenalty} gives. */
export interface Penalized extends Pick<GraphChange, 'graph' | 'changes' | 'standIn' | 'variables'> {
  /** The cost with the penalty. */
  readonly cost: Variable;
  /** What was added to it: an auxiliary variable of the graph. */
  readonly penalty: Variable;
  /** By the names `l1` and `l2`: can be set while training. */
  readonly hyperparameters: ReadonlyMap<'l1' | 'l2', SharedVariable>;
}

/** A penalty on the size of variables. */
class Penalty extends Annotation {}

/**
 * The graph of a cost with a penalty added for the size of variables: `cost + l1 * sum(|x|) + l2 * sum(x^2)`, as `applyPenalty(graph, select(graph).role(WEIGHT), { l2: 1e-4 })` has it
 * of all weights.
 *
 * @throws Error when the graph has not one scalar for its output, when there are no variables, or neither `l1` nor `l2`
 */
export function applyPenalty(
  graph: ComputationGraph,
  variables: Iterable<Variable>,
  options: PenaltyOptions,
): Penalized {
  const { name = 'penalty', l1, l2 } = options;
  const [cost, ...others] = graph.outputs;
  if (cost === undefined || others.length > 0 || cost.ndim > 0) {
    throw new Error(
      `applyPenalty: the graph has the outputs ${graph.outputs.map(String).join(', ')}; give the graph of one scalar cost`,
    );
  }
  const penalized = [...variables];
  if (penalized.length === 0) throw new Error('applyPenalty: there are no variables; select some of the graph');
  const hyperparameters = new Map(
    (['l1', 'l2'] as const).flatMap((norm) => {
      const strength = norm === 'l1' ? l1 : l2;
      return strength === undefined ? [] : [[norm, strengthOf(`${name}.${norm}`, strength)] as const];
    }),
  );
  if (hyperparameters.size === 0) throw new Error('applyPenalty: there is neither l1 nor l2; give one of them');
  const dtype = floatOf('applyPenalty', cost);
  const terms = [...hyperparameters].map(([norm, strength]) => {
    const sizes = penalized.map((variable) => cast(sum(norm === 'l1' ? abs(variable) : square(variable)), dtype));
    return mul(
      sizes.reduce((total, size) => add(total, size)),
      cast(strength, dtype),
    );
  });
  const penalty = terms.reduce((total, term) => add(total, term));
  const whole = add(cost, penalty);
  whole.name = `${cost.name ?? 'cost'}_with_penalty`;
  addRole(whole, COST);
  const annotation = new Penalty();
  addAnnotation(whole, annotation);
  annotation.addAuxiliaryVariable(penalty, { name });
  const change = GraphChange.of(graph, [[cost, whole]]);
  return Object.assign(change, { cost: whole, penalty, hyperparameters });
}

function strengthOf(name: string, strength: number): SharedVariable {
  if (strength >= 0 && Number.isFinite(strength)) return hyperparameter(name, strength);
  throw new Error(`applyPenalty: ${name} is ${strength}; give a number of at least 0`);
}
