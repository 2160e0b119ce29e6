import { at } from '../arrays/at.js';
import { Caller } from '../graph/origin.js';
import { withFloatX } from '../graph/float-x.js';
import type { SharedVariable } from '../graph/shared-variable.js';
import type { Variable } from '../graph/variable.js';
import type { OtherBits } from '../rewrite/rewrites.js';
import { askedFunction, type AskedFunction } from './asked-function.js';
import { compileCache, KEPT } from './compile-cache.js';
import { CompiledFunction } from './compiled-function.js';
import type { ComputeOptions } from './compute-target.js';
import type { ProgramSource } from './engine.js';
import { sizesByName } from './equal-sizes.js';
import { Explanation, type ExplainedParts } from './explanation.js';
import { stateBytes } from './held-memory.js';
import { PlaceOfPlan, type FoundPlan } from './kept-plan.js';
import type { OnUnusedInput } from './on-unused-input.js';
import { planOf, type Plan } from './plan.js';
import { compileStages } from './staged-executable.js';

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
  const caller = new Caller();
  const asked = caller.makes(() => askedFunction(options));
  let planned: Plan | undefined;
  const plan = (): Plan => (planned ??= withFloatX(asked.floatX, () => caller.makes(() => planOf(asked))));
  const cache = compileCache();
  const place = cache === undefined ? 'LONGRUN_COMPILE_CACHE names no folder' : await PlaceOfPlan.for(asked, cache);
  if (typeof place === 'string') return await compiled(asked, plan, undefined, place);
  const found = await place.find(plan);
  if (found === undefined) return await compiled(asked, plan, place);
  return functionOf(asked, found, () => plan().explained, { from: 'cache' });
}

/** Compiles a function from the beginning, and keeps its plan where there is a place for it; else `reason` says why not. */
async function compiled(
  asked: AskedFunction,
  plan: () => Plan,
  place: PlaceOfPlan | undefined,
  reason?: string,
): Promise<CompiledFunction> {
  const { layout, explained, graph, stages, fused } = plan();
  const { engine, target } = asked;
  const compiledStages = await compileStages(graph, stages, engine, target, fused, place?.programs);
  const failure = reason ?? (await place?.keep(plan(), compiledStages));
  const source: ProgramSource = { from: 'compiler', reason: failure ?? KEPT };
  return functionOf(asked, { layout, executable: compiledStages.executable }, () => explained, source);
}

function functionOf(
  { name, inputs, updates, watches, engine, target }: AskedFunction,
  { layout, executable }: FoundPlan,
  explained: () => ExplainedParts,
  plan: ProgramSource,
): CompiledFunction {
  const { reads, writes, watches: results } = layout;
  const variables = updates.map(([variable]) => variable);
  const explanation = new Explanation(target, explained, {
    plan,
    sources: executable.sources,
    stateBytes: stateBytes([...reads, ...variables]),
  });
  return new CompiledFunction(
    {
      ...layout,
      name,
      inputs,
      writes: variables.map((variable, position) => ({ variable, result: at(writes, position) })),
      watches: watches.map(({ callback }, position) => ({ results: at(results, position), callback })),
      sizesByName: sizesByName([...inputs, ...reads]),
      environment: engine.environment(target),
      explanation,
    },
    executable,
  );
}
