import type { NdArray } from '@longrun/serialization';
import { describe, formatType, isAssignable, type SharedVariable, type Variable } from '@longrun/tensor';

import type { Brick } from '../bricks/brick.js';
import { Random } from '../bricks/stochastic/random.js';
import { getBrick } from './provenance.js';
import { hasRoles, PERSISTENT } from '../roles.js';
import { duplicatePath, Selector } from '../selection/selector.js';
import { copiesOf } from '../snapshot/named-arrays.js';
import { ComputationGraph } from './computation-graph.js';
import { pathOf } from './path-of.js';

/** The computation graph of a model, with its bricks and its parameters by path (Blocks: `Model`). */
export class Model extends ComputationGraph {
  /** The roots of the brick trees that made the graph. */
  readonly topBricks: readonly Brick[];
  #parameters: ReadonlyMap<string, SharedVariable> | undefined;
  #persistent: ReadonlyMap<string, SharedVariable> | undefined;

  /** @throws Error when two top bricks have the same name */
  constructor(outputs: Variable | readonly Variable[]) {
    super(outputs);
    this.topBricks = topBricksOf(this.variables);
    const names = this.topBricks.map((brick) => brick.name);
    const repeated = names.find((name, at) => names.indexOf(name) !== at);
    if (repeated !== undefined) {
      throw new Error(
        `Model: two top bricks are named ${repeated}; names start the paths of parameters, so give one another name`,
      );
    }
  }

  /**
   * The parameters by path, `/mlp/linear_0.W`: those of the top bricks and all below, whether or not the graph uses them, then
   * those of the graph that belong to no brick, by name.
   */
  getParameterDict(): ReadonlyMap<string, SharedVariable> {
    if (this.#parameters === undefined) {
      const parameters = new Selector(this.topBricks).getParameters();
      addByName(parameters, this.parameters);
      this.#parameters = parameters;
    }
    return this.#parameters;
  }

  /**
   * What is saved with the model, by path: the parameters, the states of the top bricks and all below, and the other shared
   * variables of the graph, as far as they have the role PERSISTENT. (Blocks saved only the parameters, and lost the population statistics of batch
   * normalization.)
   */
  getPersistentDict(): ReadonlyMap<string, SharedVariable> {
    if (this.#persistent === undefined) {
      const persistent = new Map(this.getParameterDict());
      const others = [...new Selector(this.topBricks).getStates().values(), ...this.sharedVariables];
      addByName(
        persistent,
        others.filter((variable) => hasRoles(variable, [PERSISTENT])),
      );
      this.#persistent = persistent;
    }
    return this.#persistent;
  }

  /** The path of each persistent variable. */
  pathOf(variable: Variable): string | undefined {
    for (const [path, candidate] of this.getPersistentDict()) if (candidate === variable) return path;
    return undefined;
  }

  /** Copies of the values of the parameters as they are at the call, by path. */
  async getParameterValues(): Promise<Map<string, NdArray>> {
    return await copiesOf(this.getParameterDict());
  }

  /**
   * Sets parameters by path. Says which paths the model does not have and which it was not given, and leaves those alone.
   *
   * @throws Error for a value of another dtype, or of a shape that the parameter cannot have; nothing is set then
   */
  setParameterValues(values: ReadonlyMap<string, NdArray>): { readonly unknown: string[]; readonly missing: string[] } {
    const parameters = this.getParameterDict();
    for (const [path, value] of values) {
      const parameter = parameters.get(path);
      if (parameter !== undefined) checkFits(path, parameter, value);
    }
    for (const [path, value] of values) parameters.get(path)?.setValue(value);
    return {
      unknown: [...values.keys()].filter((path) => !parameters.has(path)),
      missing: [...parameters.keys()].filter((path) => !values.has(path)),
    };
  }

  /**
   * @throws Error for a parameter that was given no value, by `initialize()` of its brick or otherwise: training would only make NaN of it; and for a brick that
   * draws random numbers and was given no seed, neither so nor by itself
   */
  async checkInitialized(): Promise<void> {
    const look = async (brick: Brick): Promise<void> => {
      for (const child of brick.children) await look(child);
      if (brick.initialized) return;
      if (brick instanceof Random) this.#requireSeed(brick);
      for (const parameter of brick.parameters) {
        const values = Array.from((await parameter.getValue()).data, Number);
        if (values.length === 0 || !values.every(Number.isNaN)) continue;
        throw new Error(
          `${brick.hierarchicalName(parameter)} has no value, as its brick was not initialized; initialize ` +
            `${this.#topOf(brick).uniquePath} before training, as in mlp.initialize(context.random), or load values`,
        );
      }
    };
    for (const brick of this.topBricks) await look(brick);
  }

  #requireSeed(brick: Random): void {
    if (brick.seed !== undefined || !brick.allocated || !this.sharedVariables.includes(brick.randomState)) return;
    throw new Error(
      `${brick.uniquePath} draws random numbers, but was not initialized, so that they do not follow from the seed of the experiment; initialize ` +
        `${this.#topOf(brick).uniquePath} before training, as in mlp.initialize(context.random), or give it a seed`,
    );
  }

  #topOf(brick: Brick): Brick {
    const [parent] = brick.parents;
    return parent === undefined ? brick : this.#topOf(parent);
  }

  /** Warns when an algorithm trains other parameters than this model has. */
  checkSanity(algorithm: { readonly parameters?: readonly Variable[] }): void {
    if (algorithm.parameters === undefined) return;
    const trained = new Set(algorithm.parameters);
    const own = new Set<Variable>(this.parameters);
    const idle = [...own].filter((parameter) => !trained.has(parameter));
    const foreign = [...trained].filter((parameter) => !own.has(parameter));
    if (idle.length > 0) warn(`The algorithm does not train these parameters of the model: ${this.#name(idle)}`);
    if (foreign.length > 0)
      warn(`The algorithm trains parameters that the model does not have: ${this.#name(foreign)}`);
  }

  #name(variables: readonly Variable[]): string {
    return variables.map((variable) => this.pathOf(variable) ?? variable.toString()).join(', ');
  }
}

/** Throws when `value` cannot become the value of the variable at `path`. */
export function checkFits(path: string, variable: SharedVariable, value: NdArray): void {
  if (isAssignable(value, variable.type)) return;
  throw new Error(
    `${path} has ${formatType(variable.type)} but the value given has ${formatType(value)}; ` +
      'give values of a model with the same dimensions',
  );
}

function topBricksOf(variables: readonly Variable[]): Brick[] {
  const roots = new Set<Brick>();
  const visited = new Set<Brick>();
  const climb = (brick: Brick): void => {
    if (visited.has(brick)) return;
    visited.add(brick);
    if (brick.parents.length === 0) roots.add(brick);
    for (const parent of brick.parents) climb(parent);
  };
  for (const variable of variables) {
    const brick = getBrick(variable);
    if (brick !== undefined) climb(brick);
  }
  return [...roots];
}

function addByName(byPath: Map<string, SharedVariable>, variables: readonly SharedVariable[]): void {
  const known = new Set(byPath.values());
  for (const variable of variables) {
    if (known.has(variable)) continue;
    const path = pathOf(variable) ?? variable.name;
    if (path === undefined) {
      const owner = getBrick(variable)?.uniquePath;
      throw new Error(
        `Model: a persistent variable${owner === undefined ? '' : ` of ${owner}`} has no name, ${describe(variable)}; name it, so that it can be saved`,
      );
    }
    if (byPath.has(path)) throw new Error(duplicatePath(path));
    byPath.set(path, variable);
    known.add(variable);
  }
}

function warn(message: string): void {
  process.emitWarning(message, 'ModelWarning');
}
