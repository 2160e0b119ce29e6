import { add, cast, div, eq, ge, mul, sub, SharedVariable, where, type Variable } from '@longrun/tensor';

import { bufferFor, hyperparameter, scalarBuffer } from '../algorithms/algorithm-state.js';
import type { UpdatesAlgorithm } from '../algorithms/updates-algorithm.js';
import type { ComputationGraph } from '../graph/computation-graph.js';
import { GraphChange } from '../selection/graph-change.js';

/** Options of {@link ParameterAverage}. */
export interface ParameterAverageOptions {
  /** How much of the average stays with each step: 0.999 of an exponential moving average. `mean` weighs all steps alike (Polyak and Juditsky, 1992). */
  readonly decay: number | 'mean';
  /** How many steps are done before averaging begins; until then the average is the parameter. Default 0. */
  readonly from?: number;
  /** Starts the names of its variables in checkpoints. Default `parameteraverage`. */
  readonly name?: string;
}

/**
 * Averages of parameters over the steps of training, beside the parameters that are trained (PyTorch: `AveragedModel`). Each step moves them:
 * `algorithm.addUpdates(average.updatesFor(algorithm))`. They are saved with training, `/mlp/linear_0.W:parameteraverage.average`.
 *
 * `average.applyTo(graph)` is the graph with the averages in the places of the parameters, to be evaluated while training goes on as before. {@link swap} leaves the averages in the parameters
 * themselves, for a model that is to be saved with them.
 */
export class ParameterAverage {
  /** By parameter. */
  readonly averages: ReadonlyMap<SharedVariable, SharedVariable>;
  /** Undefined where all steps weigh alike. */
  readonly decay: SharedVariable | undefined;
  readonly from: number;
  /** Steps done. */
  readonly time: SharedVariable;

  /** @throws Error when there are no parameters, or the decay is not from 0 to below 1 */
  constructor(parameters: Iterable<Variable>, options: ParameterAverageOptions) {
    const { decay, from = 0, name = 'parameteraverage' } = options;
    if (decay !== 'mean' && !(decay >= 0 && decay < 1)) {
      throw new Error(`ParameterAverage: decay is ${decay}; give a number from 0 to below 1, or 'mean'`);
    }
    if (!Number.isSafeInteger(from) || from < 0) {
      throw new Error(`ParameterAverage: from is ${from}; give a whole number of steps`);
    }
    this.averages = new Map(
      [...parameters].map((parameter) => {
        if (parameter instanceof SharedVariable) return [parameter, bufferFor(parameter, `${name}.average`)] as const;
        throw new Error(`ParameterAverage: ${parameter.toString()} is no shared variable; select parameters`);
      }),
    );
    if (this.averages.size === 0)
      throw new Error('ParameterAverage: there are no parameters; give some that are trained');
    this.decay = decay === 'mean' ? undefined : hyperparameter(`${name}.decay`, decay);
    this.from = from;
    this.time = scalarBuffer(`${name}.time`, 0);
  }

  /**
   * What the averages become with each step of an algorithm, from what the parameters become.
   *
   * @throws Error when it does not train one of the parameters
   */
  updatesFor(algorithm: Pick<UpdatesAlgorithm, 'updates'>): (readonly [SharedVariable, Variable])[] {
    const averaged = sub(this.time, this.from);
    const weight = where(
      // The first one is the parameter itself, and so is what was before.
      ge(0, averaged),
      1,
      this.decay === undefined ? div(1, add(averaged, 1)) : sub(1, this.decay),
    );
    const updates = [...this.averages].map(([parameter, average]) => {
      const next = algorithm.updates.get(parameter);
      if (next === undefined) {
        throw new Error(`ParameterAverage: ${parameter.toString()} is not trained; leave it out, or train it`);
      }
      const moved = add(average, mul(sub(next, average), cast(weight, parameter.dtype)));
      return [average, where(eq(weight, 1), next, moved)] as const;
    });
    return [...updates, [this.time, add(this.time, 1)]];
  }

  /** The graph with averages in the places of parameters; before the first step with the parameters themselves. */
  applyTo(graph: ComputationGraph): GraphChange {
    const inGraph = new Set<Variable>([...graph.variables, ...graph.scanVariables]);
    const isFirst = eq(this.time, 0);
    return GraphChange.of(
      graph,
      [...this.averages]
        .filter(([parameter]) => inGraph.has(parameter))
        .map(([parameter, average]) => [parameter, where(isFirst, parameter, average)] as const),
    );
  }

  /**
   * Exchanges the values of the parameters and their averages; a second time puts them back. Between two steps of training, or after it: in `afterTraining` of an extension, it leaves the
   * averages as the model.
   *
   * @throws Error before the first step, when there are no averages
   */
  async swap(): Promise<void> {
    if (Number((await this.time.getValue()).data[0]) === 0) {
      throw new Error('ParameterAverage: there are no averages before the first step; swap after it');
    }
    for (const [parameter, average] of this.averages) {
      const [trained, mean] = [parameter.pin(), average.pin()];
      parameter.setValue(mean);
      average.setValue(trained);
      trained.release();
      mean.release();
    }
  }
}
