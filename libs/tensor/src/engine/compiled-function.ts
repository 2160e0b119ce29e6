import type { NdArray } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { checkArguments, shown } from '../graph/arguments.js';
import { checkArray } from '../graph/array-argument.js';
import type { SharedVariable } from '../graph/shared-variable.js';
import { formatShape, formatType, shapeFits, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import type { Watch } from '../inspection/tap.js';
import type { UnknownSize } from './equal-sizes.js';
import type { Executable } from './engine.js';
import type { Explanation } from './explanation.js';
import type { NumericEnvironment } from './numeric-environment.js';
import { Profile } from './profile.js';
import type { StoredValue } from './stored-value.js';
import { presentWriteGuard, type WriteGuard } from './write-guard.js';

/** Where a compiled function finds its values. For `compile` only. */
export interface FunctionLayout {
  readonly name: string;
  readonly inputs: readonly Variable[];
  /** The shared variables that are read. */
  readonly reads: readonly SharedVariable[];
  /** The shared variables that are updated, with the position of the new value among the executable's results. */
  readonly writes: readonly { readonly variable: SharedVariable; readonly result: number }[];
  /** Positions of the outputs among the executable's results. */
  readonly outputs: readonly number[];
  /** Who is handed results before the updates are made, with their positions. */
  readonly watches: readonly { readonly results: readonly number[]; readonly callback: Watch['callback'] }[];
  /** Unknown sizes of inputs that must be equal, in groups. */
  readonly equalSizes: readonly (readonly UnknownSize[])[];
  /** Sizes that must be equal as they have the same name, by the name: of the inputs, and behind them of the shared variables read. */
  readonly sizesByName: ReadonlyMap<string, readonly UnknownSize[]>;
  readonly environment: NumericEnvironment;
  readonly explanation: Explanation;
}

/** A graph compiled by `compile`: what Theano's `function` returns. */
export class CompiledFunction {
  readonly name: string;
  /** The engine, its version and all else on which the bits of the results depend. */
  readonly environment: NumericEnvironment;
  readonly #layout: FunctionLayout;
  readonly #executable: Executable;
  readonly #unfinished = new Set<Promise<unknown>>();
  #allowedBy: WriteGuard | undefined;
  #disposal: Promise<void> | undefined;

  constructor(layout: FunctionLayout, executable: Executable) {
    this.name = layout.name;
    this.environment = layout.environment;
    this.#layout = layout;
    this.#executable = executable;
  }

  /** The variables to give values for, in order. */
  get inputs(): readonly Variable[] {
    return this.#layout.inputs;
  }

  /**
   * Computes the outputs from `inputs`, in the order given to `compile`, and then updates the shared variables, all of them or,
   * when it throws, none. Input arrays must not be written to before it ends; output arrays belong to the caller. Before the updates,
   * values go to those who watch them (see `tap`).
   *
   * @throws TensorTypeError naming the input, its type and the type given; Error when another unfinished run updates a shared
   * variable that this one uses; what a guard (see `guardWrites`) or one who watches throws.
   */
  async run(inputs: readonly NdArray[]): Promise<NdArray[]> {
    const { name, reads, writes } = this.#layout;
    this.#assertNotDisposed();
    this.#askGuard();
    this.#check(inputs);
    for (const variable of reads) variable.assertQuiet(name);
    for (const { variable } of writes) variable.assertQuiet(name);
    const fed = reads.map((variable) => variable.pin());
    for (const { variable } of writes) variable.reserve(name);
    try {
      return await this.#deliver(await this.#untilDone(this.#executable.run([...inputs, ...fed])));
    } catch (error) {
      // Only here: once it has updated, another run may have reserved them before this one goes on.
      for (const { variable } of writes) variable.cancel();
      throw error;
    } finally {
      for (const value of fed) value.release();
    }
  }

  /** Where it runs: engine, provider, device, threads, which ops the host runs and why, and what it holds in memory. */
  explain(): Explanation {
    return this.#layout.explanation;
  }

  /**
   * What each op takes, in time and memory, when the function is run on `inputs` and the present values of the shared variables, which
   * it does not update; nor do values go to those who watch them. What the engine tells: ONNX Runtime fuses ops before it runs them.
   *
   * @param options.runs How many runs to take the average of, after a first one that does not count. Default 10.
   * @throws Error where the engine does not tell; TensorTypeError as {@link run} does
   */
  async profile(inputs: readonly NdArray[], options: { readonly runs?: number } = {}): Promise<Profile> {
    checkArguments(`${this.name}.profile`, ['inputs', inputs, 'any'], ['options', options, 'options']);
    const { runs = 10 } = options;
    if (!Number.isInteger(runs) || runs < 1) throw new RangeError(`runs is ${runs}; give an integer of 1 or more`);
    this.#assertNotDisposed();
    if (this.#executable.profile === undefined) throw new Error(`${this.name}: its engine does not tell what ops take`);
    this.#check(inputs);
    const { reads } = this.#layout;
    for (const variable of reads) variable.assertQuiet(this.name);
    const fed = reads.map((variable) => variable.pin());
    try {
      return new Profile(runs, await this.#untilDone(this.#executable.profile([...inputs, ...fed], runs)));
    } finally {
      for (const value of fed) value.release();
    }
  }

  /** Frees what the engine holds outside of JavaScript, once the runs that have begun are done. The function cannot run after it. */
  dispose(): Promise<void> {
    this.#disposal ??= Promise.allSettled(this.#unfinished).then(() => this.#executable.dispose());
    return this.#disposal;
  }

  #assertNotDisposed(): void {
    if (this.#disposal !== undefined) throw new Error(`${this.name} was disposed of and cannot run; compile it again`);
  }

  async #untilDone<T>(work: Promise<T>): Promise<T> {
    this.#unfinished.add(work);
    try {
      return await work;
    } finally {
      this.#unfinished.delete(work);
    }
  }

  #askGuard(): void {
    const { name, writes } = this.#layout;
    if (writes.length === 0) return;
    const guard = presentWriteGuard();
    if (guard === undefined || guard === this.#allowedBy) return;
    guard(
      name,
      writes.map(({ variable }) => variable),
    );
    this.#allowedBy = guard;
  }

  #check(inputs: readonly NdArray[]): void {
    const wanted = this.#layout.inputs;
    if (!Array.isArray(inputs)) {
      throw new TensorTypeError(
        `${this.name}: takes a list of ${wanted.length} inputs (${wanted.map(describe).join(', ')}) but was given ${shown(inputs)}`,
      );
    }
    if (inputs.length !== wanted.length) {
      throw new TensorTypeError(
        `${this.name}: takes ${wanted.length} inputs (${wanted.map(describe).join(', ')}) but was given ${inputs.length}`,
      );
    }
    for (const [position, variable] of wanted.entries()) {
      const value = inputs[position];
      checkArray(() => `${this.name}: input ${describe(variable)}`, value);
      if (value === undefined || (value.dtype === variable.dtype && shapeFits(value.shape, variable.shape))) continue;
      throw new TensorTypeError(
        `${this.name}: input ${describe(variable)} was given ${formatType(value)}; give ${variable.dtype} of shape ${formatShape(variable.shape)}`,
      );
    }
    const { reads } = this.#layout;
    const sizeAt = ({ input, axis }: UnknownSize): number | undefined =>
      (inputs[input] ?? reads[input - inputs.length]?.valueType)?.shape[axis];
    for (const [name, group] of this.#layout.sizesByName) {
      this.#checkEqual(group.map(sizeAt), group, `these sizes have the name \`${name}\` and must be equal`);
    }
    for (const group of this.#layout.equalSizes) {
      this.#checkEqual(group.map(sizeAt), group, 'the graph needs these sizes to be equal');
    }
  }

  #checkEqual(sizes: readonly (number | undefined)[], group: readonly UnknownSize[], reason: string): void {
    const other = sizes.findIndex((size) => size !== sizes[0]);
    if (other === -1) return;
    const variables = [...this.inputs, ...this.#layout.reads];
    const found = [0, other].map((position) => {
      const { input, axis } = at(group, position);
      return `\`${String(variables[input])}\` has ${sizes[position]} along axis ${axis}`;
    });
    throw new TensorTypeError(`${this.name}: ${found.join(' but ')}; ${reason}`);
  }

  /** Makes the updates, and returns the outputs. */
  async #deliver(results: readonly StoredValue[]): Promise<NdArray[]> {
    const { name, writes, outputs, watches } = this.#layout;
    // A result has a handle for each update, output and watch that it is of, in place of the one that it came with.
    const updates = writes.map(({ variable, result }) => ({
      variable,
      value: resultAt(name, results, result).retain(),
    }));
    const asked = [outputs, ...watches.map((watch) => watch.results)].map((positions) =>
      positions.map((position) => resultAt(name, results, position).retain()),
    );
    for (const result of results) result.release();

    const unfit = updates.find(({ variable, value }) => !shapeFits(value.shape, variable.shape));
    if (unfit !== undefined) {
      for (const value of [...updates.map((update) => update.value), ...asked.flat()]) value.release();
      throw new TensorTypeError(
        `${name}: the update of shared variable ${describe(unfit.variable)} has the size ${formatShape(unfit.value.shape)}; it must stay ${formatShape(unfit.variable.shape)}`,
      );
    }
    const arrays = await this.#handOver(asked).catch((error: unknown) => {
      for (const { value } of updates) value.release();
      throw error;
    });
    for (const { variable, value } of updates) variable.commit(value);
    return arrays;
  }

  /** Gives those who watch what they asked for, and returns the outputs, which come first. */
  async #handOver(asked: readonly (readonly StoredValue[])[]): Promise<NdArray[]> {
    const arrays = await Promise.all(asked.map((values) => Promise.all(values.map((value) => value.take()))));
    for (const [position, { callback }] of this.#layout.watches.entries()) await callback(at(arrays, position + 1));
    return at(arrays, 0);
  }
}

function resultAt(name: string, results: readonly StoredValue[], position: number): StoredValue {
  const result = results[position];
  if (result === undefined) throw new Error(`${name}: the engine returned no result ${position}`);
  return result;
}
