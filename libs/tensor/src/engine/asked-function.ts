import type { Apply } from '../graph/apply.js';
import { checkArguments, checkOption, shown } from '../graph/arguments.js';
import { floatX, type FloatX } from '../graph/float-x.js';
import { oneOf } from '../graph/one-of.js';
import { replace } from '../graph/replace.js';
import { SharedVariable } from '../graph/shared-variable.js';
import { commonShape, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import { watchesIn, type WatchedValues } from '../inspection/tap.js';
import type { OtherBits } from '../rewrite/rewrites.js';
import type { CompileOptions } from './compile.js';
import { computeTarget } from './compute-target.js';
import type { ComputeTarget, EngineDefinition } from './engine.js';
import { assertAvailable, engineNamed, providerNamed } from './engine-registry.js';
import { ON_UNUSED_INPUT, type OnUnusedInput } from './on-unused-input.js';

/** What `compile` is asked for, checked as far as that can be done without going through all of the graph. */
export interface AskedFunction {
  readonly name: string;
  readonly inputs: readonly Variable[];
  readonly onUnusedInput: OnUnusedInput;
  readonly updates: readonly (readonly [SharedVariable, Variable])[];
  /** How many. */
  readonly outputs: number;
  /** The outputs, and then the new values of shared variables, in which the givens stand. */
  readonly computed: readonly Variable[];
  /** All applications behind these, those inside of others too, each after those it depends on. */
  readonly order: readonly Apply[];
  /** What is watched of them. */
  readonly watches: readonly WatchedValues[];
  readonly rewrites: readonly OtherBits[];
  /** As it was at the call. */
  readonly floatX: FloatX;
  readonly engine: EngineDefinition;
  readonly target: ComputeTarget;
}

/** @throws TensorTypeError for an option of another kind; EngineUnavailable; what `replace` and `tap` throw */
export function askedFunction(options: CompileOptions): AskedFunction {
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
  const order = toposort(computed, { blockers: options.inputs, inside: true });
  const watches = watchesIn(name, computed, options.inputs, order);
  const target = computeTarget(options);
  const engine = engineNamed(target.engine);
  assertAvailable(engine, providerNamed(engine, target.provider));
  return {
    name,
    inputs: [...options.inputs],
    onUnusedInput,
    updates,
    outputs: options.outputs.length,
    computed,
    order,
    watches,
    rewrites: [...(options.rewrites ?? [])],
    floatX: floatX(),
    engine,
    target,
  };
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
