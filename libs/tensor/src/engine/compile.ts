import { at } from '../arrays/at.js';
import { checkArguments, checkOption, shown } from '../graph/arguments.js';
import { Constant } from '../graph/constant.js';
import { oneOf } from '../graph/one-of.js';
import { madeTogether } from '../graph/origin.js';
import { replace } from '../graph/replace.js';
import { SharedVariable } from '../graph/shared-variable.js';
import { commonShape, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { ancestors } from '../graph/walk.js';
import { watchesIn } from '../inspection/tap.js';
import { rewrittenForEngine, type OtherBits } from '../rewrite/rewrites.js';
import { CompiledFunction, type FunctionLayout } from './compiled-function.js';
import { equalSizes, sizesByName } from './equal-sizes.js';
import { computeTarget, type ComputeOptions } from './compute-target.js';
import type { ComputeTarget, EngineDefinition, FunctionGraph } from './engine.js';
import { assertAvailable, engineNamed, providerNamed } from './engine-registry.js';
import { Explanation, type ExplainedParts } from './explanation.js';
import { fuse, type FusedStage } from './fusion/fuse.js';
import { heldMemory } from './held-memory.js';
import { partition, type Stage } from './partition.js';
import { compileStages } from './staged-executable.js';

const ON_UNUSED_INPUT = ['raise', 'ignore'] as const;

/** What {@link compile} does with an input that nothing depends on. */
export type OnUnusedInput = (typeof ON_UNUSED_INPUT)[number];

/** Options of {@link compile}. */
export interface CompileOptions extends ComputeOptions {
  /** The variables to give values for at each run. They need not be graph inputs: what computes them is then left out. */
  readonly inputs: readonly Variable[];
  /** What to compute. */
  readonly outputs: readonly Variable[];
  /** New values of shared variables, all computed from the old ones and set after the run. */
  readonly updates?: Iterable<readonly [SharedVariable, Variable]>;
  /** Variables to replace, as `replace` does, in outputs and updates. */
  readonly givens?: ReadonlyMap<Variable, Variable>;
  /** What to do with an input that nothing depends on. Default 'raise'. */
  readonly onUnusedInput?: OnUnusedInput;
  /**
   * Rewrites that may change the last bits of results, beside those that do not and those of gradients: products of what is the same in all
   * steps of a scan out of it ('hoistProducts'), those of its sequences with one matrix before it ('liftProducts'), a table projected before its rows are
   * taken ('projectEmbeddings'). Default none.
   */
  readonly rewrites?: readonly OtherBits[];
  /** For error messages. Default 'function'. */
  readonly name?: string;
}

/**
 * Compiles a graph, forward, backward and updates together, for an engine: Theano's `function`. The engine is loaded on the
 * first call.
 *
 * @throws Error when an output depends on a variable that is neither an input, a constant nor shared, when an input is unused,
 * or when an update does not fit its variable; EngineUnavailable when the engine or its provider is none, or cannot be used here; OpUnsupported
 * when it cannot run an op.
 */
export async function compile(options: CompileOptions): Promise<CompiledFunction> {
  // What rewriting makes is made for this call.
  const { layout, explained, graph, stages, fused, engine, target } = madeTogether(() => plan(options));
  const executable = await compileStages(graph, stages, engine, target, fused);
  const explanation = new Explanation(target, explained, executable.sources);
  return new CompiledFunction({ ...layout, explanation }, executable);
}

/** What is compiled, and how its function is laid out. */
interface Plan {
  readonly layout: Omit<FunctionLayout, 'explanation'>;
  readonly explained: ExplainedParts;
  readonly graph: FunctionGraph;
  readonly stages: readonly Stage[];
  readonly fused: FusedStage | undefined;
  readonly engine: EngineDefinition;
  readonly target: ComputeTarget;
}

function plan(options: CompileOptions): Plan {
  checkArguments('compile', ['options', options, 'options']);
  checkOption('compile', 'name', options.name, 'text');
  const name = options.name ?? 'function';
  checkOption(name, 'engine', options.engine, 'text');
  checkOption(name, 'provider', options.provider, 'text');
  checkOption(name, 'inputs', options.inputs ?? null, 'variables');
  checkOption(name, 'outputs', options.outputs ?? null, 'variables');
  checkOption(name, 'updates', options.updates, 'iterable');
  checkOption(name, 'givens', options.givens, 'map');
  checkOption(name, 'rewrites', options.rewrites, 'iterable');
  const onUnusedInput = oneOf(name, 'onUnusedInput', options.onUnusedInput ?? 'raise', ON_UNUSED_INPUT);
  const updates = [...(options.updates ?? [])];
  checkUpdates(name, updates);
  const givens = options.givens ?? new Map<Variable, Variable>();
  const computed = replace([...options.outputs, ...updates.map(([, value]) => value)], givens);
  const watches = watchesIn(name, computed, options.inputs);
  const all = [...computed, ...watches.flatMap(({ values }) => values)];
  const { outputs: replaced, history } = rewrittenForEngine(all, options.inputs, options.rewrites);
  const results = [...new Set(replaced)];
  const reads = leaves(name, options.inputs, results, onUnusedInput);
  const target = computeTarget(options);
  const engine = engineNamed(target.engine);
  assertAvailable(engine, providerNamed(engine, target.provider));
  const state = new Set(replaced.slice(options.outputs.length, computed.length));
  const graph: FunctionGraph = { name, inputs: [...options.inputs, ...reads], outputs: results, state };
  const { rest, fused, unfused } = fuse(graph, engine, target);
  const { stages, hostOps } = partition(rest, engine);
  const onEngine = stages.filter(({ on }) => on === 'engine');
  const positions = replaced.map((variable) => results.indexOf(variable));
  let watched = computed.length;
  const layout = {
    name,
    inputs: [...options.inputs],
    reads,
    writes: updates.map(([variable], position) => ({
      variable,
      result: at(positions, options.outputs.length + position),
    })),
    outputs: positions.slice(0, options.outputs.length),
    watches: watches.map(({ values, callback }) => {
      watched += values.length;
      return { results: positions.slice(watched - values.length, watched), callback };
    }),
    equalSizes: equalSizes(options.inputs, results),
    sizesByName: sizesByName([...options.inputs, ...reads]),
    environment: engine.environment(target),
  };
  const explained = {
    engineOps: onEngine.reduce((sum, { nodes }) => sum + nodes.length, 0),
    engineCalls: onEngine.length,
    hostOps,
    kernels: fused?.kernels ?? [],
    unfused,
    rewriting: history,
    ...heldMemory(results, options.inputs, [...reads, ...updates.map(([variable]) => variable)]),
  };
  return { layout, explained, graph, stages, fused, engine, target };
}

function checkUpdates(name: string, updates: readonly (readonly [SharedVariable, Variable])[]): void {
  const seen = new Set<Variable>();
  for (const update of updates) {
    checkOption(name, 'updates', update ?? null, 'variables');
    const [variable, value] = update;
    if (!(variable instanceof SharedVariable) || value === undefined) {
      throw new TensorTypeError(
        `${name}: option updates has ${shown(update)}; give pairs of a shared variable and its new value`,
      );
    }
    if (seen.has(variable)) throw new Error(`${name}: shared variable ${describe(variable)} has two updates; give one`);
    seen.add(variable);
    const fits = value.dtype === variable.dtype && commonShape(value.shape, variable.shape) !== undefined;
    if (fits) continue;
    throw new TensorTypeError(
      `${name}: the update ${describe(value)} does not fit shared variable ${describe(variable)}; dtype and shape must be the same`,
    );
  }
}

/** The shared variables among the leaves, after checking that all leaves have values. */
function leaves(
  name: string,
  inputs: readonly Variable[],
  results: readonly Variable[],
  onUnusedInput: OnUnusedInput,
): SharedVariable[] {
  const given = new Set(inputs);
  if (given.size < inputs.length) throw new Error(`${name}: an input is listed twice; list each once`);
  for (const input of inputs) {
    if (input instanceof Constant || input instanceof SharedVariable) {
      throw new Error(
        `${name}: ${describe(input)} has a value of its own and cannot be an input; use givens to replace it`,
      );
    }
  }
  const used = ancestors(results, { blockers: inputs });
  const sharedVariables: SharedVariable[] = [];
  for (const variable of used) {
    if (given.has(variable) || variable.owner !== null || variable instanceof Constant) continue;
    if (!(variable instanceof SharedVariable)) {
      throw new Error(`${name}: the outputs depend on ${describe(variable)}, which is not among the inputs; add it`);
    }
    sharedVariables.push(variable);
  }
  const reached = new Set(used);
  const unused = inputs.filter((input) => !reached.has(input));
  if (unused.length > 0 && onUnusedInput === 'raise') {
    throw new Error(
      `${name}: no output depends on ${unused.map(describe).join(', ')}; leave it out or set onUnusedInput to 'ignore'`,
    );
  }
  return sharedVariables;
}
