import type { NdArray } from '@longrun/serialization';
import {
  ancestors,
  compile,
  Constant,
  replaceInOrder,
  SharedVariable,
  toposort,
  type Apply,
  type CompiledFunction,
  type CompileOptions,
  type ComputeOptions,
  type Variable,
} from '@longrun/tensor';

import { AUXILIARY, hasRoles, PARAMETER, rolesOf } from '../roles.js';
import { annotationsOf, type Annotation } from './annotations.js';

/** What a function made of a graph may have besides the graph's own inputs, outputs and updates. */
export interface GraphFunctionOptions extends ComputeOptions, Pick<CompileOptions, 'name'> {
  /** More new values of shared variables. */
  readonly additionalUpdates?: ReadonlyMap<SharedVariable, Variable>;
}

/** What {@link ComputationGraph.replaced} gives. */
export interface ReplacedGraph {
  readonly graph: ComputationGraph;
  /** What stands in the new graph for a variable of the old one; itself where it stayed. */
  readonly standIn: (variable: Variable) => Variable;
}

/** All that some outputs depend on, with what annotations add to it (Blocks: `ComputationGraph`). A value: it never changes. */
export class ComputationGraph implements Iterable<Variable> {
  readonly outputs: readonly Variable[];
  /**
   * All variables, each after those it depends on; the auxiliary ones, with what they depend on, right after the variable
   * whose annotation has them.
   */
  readonly variables: readonly Variable[];
  /** New values of shared variables that annotations ask for. */
  readonly updates: ReadonlyMap<SharedVariable, Variable>;
  #dependents: ReadonlySet<Variable> | undefined;

  constructor(outputs: Variable | readonly Variable[]) {
    this.outputs = isList(outputs) ? [...outputs] : [outputs];
    const { variables, updates } = collect(this.outputs);
    this.variables = variables;
    this.updates = updates;
  }

  /** What data must be given for: no owner, not shared, not constant. */
  get inputs(): Variable[] {
    return this.variables.filter(isInput);
  }

  /** Neither inputs nor outputs. */
  get intermediaryVariables(): Variable[] {
    const outputs = new Set(this.outputs);
    return this.variables.filter((variable) => variable.owner !== null && !outputs.has(variable));
  }

  get sharedVariables(): SharedVariable[] {
    return this.variables.filter((variable) => variable instanceof SharedVariable);
  }

  /** Shared variables with role PARAMETER. */
  get parameters(): SharedVariable[] {
    return this.sharedVariables.filter((variable) => hasRoles(variable, [PARAMETER]));
  }

  /** Those of {@link parameters} that a gradient reaches: by a way on which it is not stopped. */
  get trainableParameters(): SharedVariable[] {
    const reached = new Set(reachedByGradients(this.outputs));
    return this.parameters.filter((parameter) => reached.has(parameter));
  }

  /** Variables with role AUXILIARY. */
  get auxiliaryVariables(): Variable[] {
    return this.variables.filter((variable) => hasRoles(variable, [AUXILIARY]));
  }

  /** The applications of ops with an inner graph, such as `scan`, those inside of others included. */
  get scans(): Apply[] {
    return toposort(this.variables, { inside: true }).filter(({ op }) => op.inner !== undefined);
  }

  /** The variables of the inner graphs of {@link scans}. */
  get scanVariables(): Variable[] {
    const outside = new Set(this.variables);
    return ancestors(this.variables, { inside: true }).filter((variable) => !outside.has(variable));
  }

  [Symbol.iterator](): Iterator<Variable> {
    return this.variables[Symbol.iterator]();
  }

  /** The inputs by name. Throws when one has no name, or two have the same. */
  inputsByName(): Map<string, Variable> {
    return inputsByName(this.inputs);
  }

  /** True when `variable`, of this graph, depends on an input. */
  hasInputs(variable: Variable): boolean {
    this.#dependents ??= dependentsOnInputs(this.variables);
    return this.#dependents.has(variable);
  }

  /**
   * A graph in which some variables are replaced, inside of scans too. Replacements may contain the variables that they, or others,
   * replace: they are made one by one in topological order, so that each applies to those after it.
   *
   * Warns about keys that are not in the graph, and about auxiliary ones, which only annotations know.
   */
  replace(replacements: ReadonlyMap<Variable, Variable> | Iterable<readonly [Variable, Variable]>): ComputationGraph {
    const wanted = new Map(replacements);
    const variables = new Set([...this.variables, ...this.scanVariables]);
    const strangers = [...wanted.keys()].filter((variable) => !variables.has(variable));
    for (const variable of wanted.keys()) {
      if (!variables.has(variable) || !hasRoles(variable, [AUXILIARY])) continue;
      warn(`replace was asked to replace ${variable.toString()}, which is auxiliary`);
    }
    if (strangers.length > 0) {
      warn(`replace was asked to replace ${strangers.join(', ')}, which the graph does not have`);
    }
    return this.replaced(wanted).graph;
  }

  /** {@link replace} of variables that are in the graph, with what stands in the new graph for each of this one. */
  replaced(replacements: ReadonlyMap<Variable, Variable>): ReplacedGraph {
    const { outputs, standIn } = replaceInOrder(this.outputs, replacements);
    return { graph: new ComputationGraph(outputs), standIn };
  }

  /**
   * The value of each variable with a role, on data given by the names of the inputs. The graph's updates are not made.
   *
   * @throws what `compile` and a run throw
   */
  async getSnapshot(data: ReadonlyMap<string, NdArray>, options: ComputeOptions = {}): Promise<Map<Variable, NdArray>> {
    const wanted = this.variables.filter((variable) => rolesOf(variable).length > 0);
    const inputs = [...this.inputsByName()];
    const missing = inputs.map(([name]) => name).filter((name) => !data.has(name));
    if (missing.length > 0)
      throw new Error(`getSnapshot: there are no data for ${missing.join(', ')}; give an array for each`);
    const compiled = await compile({
      ...options,
      name: 'getSnapshot',
      inputs: inputs.map(([, input]) => input),
      outputs: wanted,
      onUnusedInput: 'ignore',
    });
    try {
      const values = await compiled.run(inputs.flatMap(([name]) => data.get(name) ?? []));
      return new Map(
        wanted.flatMap((variable, at) => (values[at] === undefined ? [] : [[variable, values[at]] as const])),
      );
    } finally {
      await compiled.dispose();
    }
  }

  /** Compiles the graph: its inputs to its outputs, with its updates (Blocks: `get_theano_function`). */
  async getFunction(options: GraphFunctionOptions = {}): Promise<CompiledFunction> {
    const { additionalUpdates, ...rest } = options;
    const updates = new Map([...this.updates, ...(additionalUpdates ?? [])]);
    return compile({ ...rest, inputs: this.inputs, outputs: this.outputs, updates });
  }
}

/** True for variables that data must be given for. */
export function isInput(variable: Variable): boolean {
  return variable.owner === null && !(variable instanceof SharedVariable) && !(variable instanceof Constant);
}

/** Inputs by name. Throws when one has no name, or two have the same. */
export function inputsByName(inputs: readonly Variable[]): Map<string, Variable> {
  const byName = new Map<string, Variable>();
  for (const input of inputs) {
    if (input.name === undefined) throw new Error('An input of the graph has no name; create it with one');
    if (byName.has(input.name)) throw new Error(`Two inputs of the graph are named ${input.name}; rename one`);
    byName.set(input.name, input);
  }
  return byName;
}

function collect(outputs: readonly Variable[]): {
  variables: Variable[];
  updates: Map<SharedVariable, Variable>;
} {
  const variables = new Set<Variable>();
  const updates = new Map<SharedVariable, Variable>();
  const seen = new Set<Annotation>();
  const visit = (roots: readonly Variable[]): void => {
    for (const variable of ancestors(roots)) {
      if (variables.has(variable)) continue;
      variables.add(variable);
      for (const annotation of annotationsOf(variable)) {
        if (seen.has(annotation)) continue;
        seen.add(annotation);
        for (const [target, value] of annotation.updates) updates.set(target, value);
        visit([...annotation.auxiliaryVariables, ...annotation.updates.keys(), ...annotation.updates.values()]);
      }
    }
  };
  visit(outputs);
  return { variables: [...variables], updates };
}

/** What `outputs` depend on by a way on which nothing stops the gradient. */
function reachedByGradients(outputs: readonly Variable[]): Variable[] {
  const stops = toposort(outputs).filter(({ op }) => op.name === 'stopGradient');
  return ancestors(outputs, { blockers: stops.flatMap(({ outputs: stopped }) => stopped) });
}

function dependentsOnInputs(variables: readonly Variable[]): Set<Variable> {
  const dependents = new Set<Variable>();
  // An auxiliary variable may come before what it depends on; going through its own ancestors settles that.
  for (const variable of ancestors(variables)) {
    if (isInput(variable) || variable.owner?.inputs.some((input) => dependents.has(input)) === true) {
      dependents.add(variable);
    }
  }
  return dependents;
}

function isList(outputs: Variable | readonly Variable[]): outputs is readonly Variable[] {
  return Array.isArray(outputs);
}

function warn(message: string): void {
  process.emitWarning(message, 'ComputationGraphWarning');
}
