import { ndarray, type NdArray } from '@longrun/serialization';
import {
  at,
  compile,
  graphInputs,
  repeat,
  tensor,
  type CompiledFunction,
  type ComputeOptions,
  type Variable,
} from '@longrun/tensor';
import { takeRows } from '@longrun/fuel';

import type { NamedVariables } from '../bricks/tagging.js';
import { inputsByName, isInput } from '../graph/computation-graph.js';
import { generationOf, type Generation } from './generation.js';
import { Hypotheses, type Hypothesis, type SearchRules } from './hypotheses.js';

/** Options of {@link BeamSearch}. */
export interface BeamSearchOptions extends ComputeOptions {
  /** How many sequences of each example go on side by side. */
  readonly beamSize: number;
}

/** Arrays by name. */
export type NamedArrays = Readonly<Record<string, NdArray>>;

/** What a search begins with: `beamSize` times what there is of each example. */
export interface SearchStart {
  readonly contexts: NamedArrays;
  readonly states: NamedArrays;
}

/**
 * Finds the likeliest sequences that a generator would give (Blocks: `search.BeamSearch`), for several examples at once: step by step, the
 * likeliest beginnings of each example are gone on with.
 *
 * It uses the parameters as they are at each search. To draw sequences instead, compile the samples.
 */
export class BeamSearch {
  readonly beamSize: number;
  readonly #generation: Generation;
  readonly #target: ComputeOptions;
  #functions: Promise<Functions> | undefined;

  /**
   * @param samples the outputs of `generate(contexts, { nSteps, batchSize })` of a generator; how many steps does not matter
   * @throws Error for other variables, and for a beam without places
   */
  constructor(samples: Variable, options: BeamSearchOptions) {
    const { beamSize, ...target } = options;
    if (!Number.isInteger(beamSize) || beamSize < 1) {
      throw new RangeError(`BeamSearch: beamSize is ${beamSize}; give a whole number of at least 1`);
    }
    this.beamSize = beamSize;
    this.#generation = generationOf(samples);
    this.#target = target;
  }

  /** Compiles what a search computes; the first one does so where nobody has. */
  async compile(): Promise<void> {
    await this.#compiled();
  }

  /** What a search begins with, of the inputs of the samples by name. @throws Error where one is missing */
  async computeInitialStatesAndContexts(inputs: ReadonlyMap<string, NdArray>): Promise<SearchStart> {
    const { start, sources, names } = await this.#compiled();
    const missing = sources.filter((source) => !inputs.has(source));
    if (missing.length > 0)
      throw new Error(`BeamSearch: there are no data for ${missing.join(', ')}; give an array for each`);
    const results = await start.run(sources.flatMap((source) => inputs.get(source) ?? []));
    const all = names.contexts.length;
    return { contexts: named(names.contexts, results.slice(0, all)), states: named(names.states, results.slice(all)) };
  }

  /** The logarithms of the probabilities (rows, outputs) of all next outputs. */
  async computeLogprobs(contexts: NamedArrays, states: NamedArrays): Promise<NdArray> {
    const { scores, names } = await this.#compiled();
    return at(await scores.run(names.given(contexts, states)), 0);
  }

  /** The logarithms of the probabilities (rows, outputs) that sequences would have with each next output, `totals` being those that they have. */
  async computeScores(
    contexts: NamedArrays,
    states: NamedArrays,
    totals: readonly number[],
  ): Promise<readonly Float64Array[]> {
    const { data, shape } = await this.computeLogprobs(contexts, states);
    const width = shape[1] ?? 0;
    return totals.map((total, row) =>
      Float64Array.from({ length: width }, (_, output) => total + Number(data[row * width + output])),
    );
  }

  /** The states after a step in which these outputs (rows) were chosen. */
  async computeNextStates(contexts: NamedArrays, states: NamedArrays, outputs: NdArray): Promise<NamedArrays> {
    const { next, names } = await this.#compiled();
    return named(names.states, await next.run(names.given(contexts, { ...states, outputs })));
  }

  /**
   * The best sequences of each example, the best first, at most `beamSize` of each.
   *
   * @param inputs those of the samples by name
   * @throws RangeError for rules that no sequence can keep
   */
  async search(inputs: ReadonlyMap<string, NdArray>, rules: SearchRules): Promise<readonly (readonly Hypothesis[])[]> {
    const { contexts, states: first } = await this.computeInitialStatesAndContexts(inputs);
    const rows = first['outputs']?.shape[0] ?? 0;
    const examples = Array.from({ length: rows / this.beamSize }, () => new Hypotheses(this.beamSize, rules));
    let states = first;
    while (examples.some(({ open }) => open.length > 0)) {
      const totals = examples.flatMap(({ open }) => this.#places((place) => open[place]?.logProbability ?? 0));
      const scores = await this.computeScores(contexts, states, totals);
      const parents = new Uint32Array(rows);
      const chosen = BigInt64Array.from({ length: rows }, () => 0n);
      for (const [example, hypotheses] of examples.entries()) {
        const from = example * this.beamSize;
        const going = hypotheses.extend(scores.slice(from, from + hypotheses.open.length));
        this.#places((place) => {
          // Places without a sequence go on with that of the first, and are not looked at.
          parents[from + place] = from + (going[place]?.parent ?? 0);
          chosen[from + place] = BigInt(going[place]?.outputs.at(-1) ?? 0);
        });
      }
      if (examples.every(({ open }) => open.length === 0)) break;
      states = await this.computeNextStates(contexts, taken(states, parents), ndarray('int64', [rows], chosen));
    }
    return examples.map(({ best }) => best);
  }

  /** Frees what the engine holds outside of JavaScript. */
  async dispose(): Promise<void> {
    const functions = await this.#functions;
    await Promise.all([functions?.start.dispose(), functions?.scores.dispose(), functions?.next.dispose()]);
  }

  #places<T>(of: (place: number) => T): T[] {
    return Array.from({ length: this.beamSize }, (_, place) => of(place));
  }

  #compiled(): Promise<Functions> {
    this.#functions ??= compiled(this.#generation, this.beamSize, this.#target);
    return this.#functions;
  }
}

/** What a search computes, and what it is given for it. */
interface Functions {
  readonly start: CompiledFunction;
  readonly scores: CompiledFunction;
  readonly next: CompiledFunction;
  /** The inputs of `start`. */
  readonly sources: readonly string[];
  readonly names: StepNames;
}

/** What the functions of a step take, in order. */
class StepNames {
  readonly contexts: readonly string[];
  readonly states: readonly string[];

  constructor(contexts: readonly string[], states: readonly string[]) {
    this.contexts = contexts;
    this.states = states;
  }

  given(contexts: NamedArrays, states: NamedArrays): NdArray[] {
    return [...arrays('context', contexts, this.contexts), ...arrays('state', states, this.states)];
  }
}

async function compiled(
  { generator, contexts, states }: Generation,
  beamSize: number,
  target: ComputeOptions,
): Promise<Functions> {
  // Nothing is drawn.
  const { random_state: _random, ...carried } = states;
  const names = new StepNames(Object.keys(contexts), Object.keys(carried));
  const axisOf = (context: string): number => generator.transition.batchAxisOf(context);
  const first = [
    ...Object.entries(contexts).map(([name, context]) => repeat(context, beamSize, { axis: axisOf(name) })),
    ...Object.values(carried).map((state) => repeat(state, beamSize, { axis: 0 })),
  ];
  const inside = {
    ...variables(contexts, axisOf),
    ...variables(carried, () => 0),
  };
  const inputs = Object.values(inside);
  const nextStates = generator.nextStates(inside);
  const sources = inputsByName(graphInputs(first).filter(isInput));
  const of = (name: string, outputs: readonly Variable[], given: readonly Variable[]): Promise<CompiledFunction> =>
    compile({ ...target, name: `BeamSearch.${name}`, inputs: given, outputs, onUnusedInput: 'ignore' });
  const [initial, scores, next] = await Promise.all([
    of('computeInitialStatesAndContexts', first, [...sources.values()]),
    of('computeLogprobs', [generator.scores(inside)], inputs),
    of(
      'computeNextStates',
      names.states.map((name) => nextStates[name] ?? at(inputs, 0)),
      inputs,
    ),
  ]);
  return { start: initial, scores, next, sources: [...sources.keys()], names };
}

/** Variables of the types of others, but for the number of rows. */
function variables(given: NamedVariables, batchAxisOf: (name: string) => number): NamedVariables {
  return Object.fromEntries(
    Object.entries(given).map(([name, { dtype, shape }]) => [
      name,
      tensor(
        name,
        dtype,
        shape.map((size, axis) => (axis !== batchAxisOf(name) && typeof size === 'number' ? size : null)),
      ),
    ]),
  );
}

function named(names: readonly string[], values: readonly NdArray[]): NamedArrays {
  return Object.fromEntries(names.map((name, place) => [name, at(values, place)]));
}

/** Those of some names, in their order. @throws Error where one is missing */
function arrays(kind: string, given: NamedArrays, names: readonly string[]): NdArray[] {
  return names.map((name) => {
    const array = given[name];
    if (array !== undefined) return array;
    throw new Error(`BeamSearch: the ${kind} ${name} is missing; give ${names.join(', ')}`);
  });
}

/** What each of some rows has, which may be the same ones. */
function taken(states: NamedArrays, rows: Uint32Array): NamedArrays {
  return Object.fromEntries(Object.entries(states).map(([name, array]) => [name, takeRows(array, rows)]));
}
