/** How sequences are ranked, and when they end. */
export interface SearchRules {
  /** The output that ends a sequence, by its number. */
  readonly eolSymbol: number;
  /** Outputs in a sequence, at most, the end included; one that has not ended by then is given as it is. */
  readonly maxLength: number;
  /** Outputs before the end, at least. Default 0. */
  readonly minLength?: number | undefined;
  /**
   * Sequences are ranked by the logarithm of their probability divided by the so-manieth power of their length: 0 favours short ones, and 1 ranks by the mean of their
   * elements (Wu et al., 2016, take powers from 0.6 to 0.7). Default 0.
   */
  readonly lengthPenalty?: number | undefined;
  /** Whether the first output may be the symbol without ending the sequence, as where lines begin with it. Default false. */
  readonly ignoreFirstEol?: boolean | undefined;
}

/** A sequence that was found. */
export interface Hypothesis {
  /** With the end, where there is one. */
  readonly outputs: readonly number[];
  /** The logarithm of its probability (Blocks gave its negative, the cost). */
  readonly logProbability: number;
  /** What it is ranked by: see `lengthPenalty`. */
  readonly score: number;
  /** False for one that was cut off at `maxLength`. */
  readonly isComplete: boolean;
}

/** A sequence that goes on. */
export interface Beginning {
  readonly outputs: readonly number[];
  readonly logProbability: number;
}

/** A sequence that goes on, as one more output of another one. */
export interface Continuation extends Beginning {
  /** The place of the one before among those that went on. */
  readonly parent: number;
}

/** The sequences of one example: those that go on, and the best of those that have ended. */
export class Hypotheses {
  readonly #size: number;
  readonly #rules: WholeRules;
  #ended: Hypothesis[] = [];
  #open: readonly Beginning[] = [{ outputs: [], logProbability: 0 }];

  /** @throws RangeError for rules that no sequence can keep */
  constructor(size: number, rules: SearchRules) {
    this.#size = size;
    this.#rules = checked(rules);
  }

  /** Those that go on, the best first; none once no better one can come. */
  get open(): readonly Beginning[] {
    return this.#open;
  }

  /** The best, of all, at most as many as the beam has places. */
  get best(): readonly Hypothesis[] {
    return this.#ended;
  }

  /**
   * Makes a step: the likeliest continuations take the places of the beam, and those of them that end leave it.
   *
   * @param scores of each open sequence the logarithms of the probabilities that it would have with each output
   * @returns those that go on from here
   * @throws RangeError where no output is the symbol that ends a sequence
   * @throws Error for a score that is NaN
   */
  extend(scores: readonly ArrayLike<number>[]): readonly Continuation[] {
    const { eolSymbol, maxLength } = this.#rules;
    const [{ length: width } = { length: Infinity }] = scores;
    if (eolSymbol >= width) {
      throw new RangeError(
        `BeamSearch: eolSymbol is ${eolSymbol}, and there are ${width} outputs; give one of them, from 0 to ${width - 1}`,
      );
    }
    const length = (this.#open[0]?.outputs.length ?? 0) + 1;
    const chosen = this.#likeliest(scores, length);
    const going: Continuation[] = [];
    for (const { parent, output, logProbability } of chosen) {
      const outputs = [...(this.#open[parent]?.outputs ?? []), output];
      const isComplete = output === eolSymbol && this.#mayEnd(length);
      if (isComplete || length === maxLength) this.#end({ outputs, logProbability, isComplete });
      else going.push({ outputs, logProbability, parent });
    }
    this.#open = this.#canImprove(going) ? going : [];
    return this.#open === going ? going : [];
  }

  #likeliest(scores: readonly ArrayLike<number>[], length: number): readonly Candidate[] {
    const { eolSymbol, minLength } = this.#rules;
    const isEnd = (output: number): boolean => output === eolSymbol && this.#mayEnd(length);
    const chosen: Candidate[] = [];
    for (const [parent, row] of scores.entries()) {
      for (let output = 0; output < row.length; output += 1) {
        const logProbability = row[output] ?? Number.NaN;
        if (Number.isNaN(logProbability))
          throw new Error(`BeamSearch: the score of output ${output} is NaN; look for NaN among parameters and inputs`);
        if (logProbability === -Infinity || (isEnd(output) && length <= minLength)) continue;
        insert(chosen, { parent, output, logProbability }, this.#size);
      }
    }
    return chosen;
  }

  #mayEnd(length: number): boolean {
    return length > 1 || !this.#rules.ignoreFirstEol;
  }

  #end(sequence: Omit<Hypothesis, 'score'>): void {
    const score = this.#score(sequence.logProbability, sequence.outputs.length);
    this.#ended = [...this.#ended, { ...sequence, score }].toSorted((a, b) => b.score - a.score).slice(0, this.#size);
  }

  #score(logProbability: number, length: number): number {
    return logProbability / length ** this.#rules.lengthPenalty;
  }

  /** No sequence becomes likelier as it goes on; it may become longer. */
  #canImprove(going: readonly Beginning[]): boolean {
    const [likeliest] = going;
    const worst = this.#ended[this.#size - 1];
    if (likeliest === undefined) return false;
    return worst === undefined || this.#score(likeliest.logProbability, this.#rules.maxLength) > worst.score;
  }
}

/** With defaults filled in. */
type WholeRules = { readonly [Name in keyof SearchRules]-?: Exclude<SearchRules[Name], undefined> };

interface Candidate {
  readonly parent: number;
  readonly output: number;
  readonly logProbability: number;
}

/** Keeps the best, in order; of equal ones those that came first. */
function insert(chosen: Candidate[], candidate: Candidate, size: number): void {
  const last = chosen.at(-1);
  if (chosen.length === size && last !== undefined && candidate.logProbability <= last.logProbability) return;
  const place = chosen.findIndex(({ logProbability }) => candidate.logProbability > logProbability);
  chosen.splice(place < 0 ? chosen.length : place, 0, candidate);
  if (chosen.length > size) chosen.pop();
}

function checked(rules: SearchRules): WholeRules {
  const { eolSymbol, maxLength, minLength = 0, lengthPenalty = 0, ignoreFirstEol = false } = rules;
  if (!Number.isInteger(eolSymbol) || eolSymbol < 0) {
    throw new RangeError(
      `BeamSearch: eolSymbol is ${eolSymbol}; give the number of the output that ends a sequence, a whole number of at least 0`,
    );
  }
  if (!Number.isInteger(maxLength) || maxLength < 1) {
    throw new RangeError(`BeamSearch: maxLength is ${maxLength}; give a whole number of at least 1`);
  }
  if (!Number.isInteger(minLength) || minLength < 0 || minLength >= maxLength) {
    throw new RangeError(
      `BeamSearch: minLength is ${minLength}; give a whole number from 0 to below maxLength, ${maxLength}`,
    );
  }
  if (!(lengthPenalty >= 0))
    throw new RangeError(`BeamSearch: lengthPenalty is ${lengthPenalty}; give a number of at least 0`);
  return { eolSymbol, maxLength, minLength, lengthPenalty, ignoreFirstEol };
}
