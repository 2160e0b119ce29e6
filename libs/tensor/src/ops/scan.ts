import { at } from '../arrays/at.js';
import { Apply } from '../graph/apply.js';
import { checkArguments, checkOption, shown, variablesFrom } from '../graph/arguments.js';
import { Constant, constant } from '../graph/constant.js';
import { closeOver } from '../graph/inner.js';
import { asStep } from '../graph/within-scan.js';
import { commonShape, formatShape, isKnown, TensorTypeError, type TensorType } from '../graph/tensor-type.js';
import { describe, Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { dimension } from './dimension.js';
import { maximum } from './maximum.js';
import { refine } from './refine.js';
import { reshape } from './reshape.js';
import { scanOp } from './scan-op.js';
import { slice } from './slice.js';
import { sub } from './sub.js';

/** A sequence of which a step sees several rows: with taps -1 and 0 that before its own and its own. */
export interface TappedSequence {
  readonly input: Variable;
  /** Rows relative to that of the step. There are as many fewer steps as they reach over. */
  readonly taps: readonly number[];
}

/** A state of which a step sees several values before it. */
export interface TappedState {
  /** The first values, (longest tap, ...), the oldest first; of one tap of -1 without that axis. */
  readonly initial: Variable;
  /** Steps before the present one, all negative: -1 is the value that the step before gave. */
  readonly taps: readonly number[];
}

/** Options of {@link scan}; names are Theano's. */
export interface ScanOptions {
  /** What a step gets a row of, along the first axis. All must have as many rows. Default none. */
  readonly sequences?: readonly (Variable | TappedSequence)[];
  /**
   * For each output of the step, the value that it has before the first step, where the step uses its own earlier values; null where
   * it does not. Default: none does.
   */
  readonly outputsInfo?: readonly (Variable | TappedState | null)[];
  /** Given to the step last, the same each time. A step may as well use variables of the graph around it. Default none. */
  readonly nonSequences?: readonly Variable[];
  /**
   * How many steps to make: an integer, or an integer scalar. Default: as many as the sequences have rows; needed where there are none. Of a
   * scalar only the run tells how many steps the outputs have: where these are 1, or meet a size of 1, `onnxruntime` and `tfjs` broadcast what
   * `reference` refuses.
   */
  readonly nSteps?: number | Variable;
  /** Go through the sequences from their end. The outputs stay in the order of the steps. Default false. */
  readonly goBackwards?: boolean;
  /** Gradients come from that many of the last steps only; what is before them is constant. Default: from all. */
  readonly truncateGradient?: number;
}

/**
 * Applies `step` again and again: Theano's `scan`. It is called once, with variables for the taps of each sequence, for those of each
 * state, and for the non-sequences, in that order, and gives one output or several.
 *
 * @returns for each output of the step its values in all steps, (steps, ...); a state's do not include its first ones.
 * @throws TensorTypeError naming sequence or state where their types do not go together; an Error where the step gives another number
 * of outputs than `outputsInfo` has.
 */
export function scan(
  step: (...variables: Variable[]) => Variable | readonly Variable[],
  options: ScanOptions,
): Variable[] {
  checkArguments('scan', ['step', step, 'function'], ['options', options, 'options']);
  checkOption('scan', 'sequences', options.sequences, 'sequences');
  checkOption('scan', 'outputsInfo', options.outputsInfo, 'states');
  checkOption('scan', 'nonSequences', options.nonSequences, 'variables');
  checkOption('scan', 'nSteps', options.nSteps, 'operand');
  const backward = options.goBackwards ?? false;
  const taps = (options.sequences ?? []).flatMap(tapsOfSequence);
  const steps = stepsOf(options.nSteps, taps);
  const sequences = taps.map(({ rows, name }) => {
    const used = options.nSteps === undefined ? rows : partOf(rows, steps, backward);
    return { rows: used, inside: inner({ dtype: rows.dtype, shape: used.shape.slice(1) }, name) };
  });
  const outputsInfo = options.outputsInfo?.map((info) => (info === null ? null : new StateTaps(info)));
  const states = outputsInfo?.filter((info) => info !== null) ?? [];

  const given = [
    ...sequences.map(({ inside }) => inside),
    ...states.flatMap((state) => state.seen()),
    ...(options.nonSequences ?? []),
  ];
  const results = variablesFrom(
    'scan',
    'the step',
    asStep(() => step(...given)),
  );
  if (outputsInfo !== undefined && results.length !== outputsInfo.length) {
    throw new Error(
      `scan: the step gave ${results.length} outputs but outputsInfo has ${outputsInfo.length} entries; give one for each, null where there is no state`,
    );
  }
  // What is collected of a state is the very variable that it carries on: gradients find its history by that.
  const outputs = results.map((result, position) => outputsInfo?.[position]?.next(result) ?? result);
  const carried = outputsInfo?.flatMap((state, position) => state?.after(at(outputs, position)) ?? []) ?? [];

  const { graph, captured } = closeOver({
    inputs: [...sequences.map(({ inside }) => inside), ...states.flatMap((state) => state.inside)],
    outputs: [...carried, ...outputs],
  });
  const op = scanOp(graph, {
    backwardInputs: sequences.map(() => backward),
    states: carried.length,
    backwardOutputs: outputs.map(() => false),
    truncateGradient: truncation(options.truncateGradient),
  });
  const node = new Apply(op, [
    steps,
    ...sequences.map(({ rows }) => rows),
    ...states.flatMap((state) => state.initial),
    ...captured,
  ]);
  return node.outputs.slice(carried.length);
}

function inner(type: TensorType, name: string | undefined): Variable {
  return new Variable(type, name === undefined ? {} : { name });
}

function nameAt(variable: Variable, step: string): string | undefined {
  return variable.name === undefined ? undefined : `${variable.name}[${step}]`;
}

function stepName(tap: number): string {
  return tap === 0 ? 't' : `t${tap < 0 ? '-' : '+'}${Math.abs(tap)}`;
}

/** The rows of a sequence that one tap reads, one for each step. */
function tapsOfSequence(sequence: Variable | TappedSequence): { rows: Variable; name: string | undefined }[] {
  const { input, taps } = sequence instanceof Variable ? { input: sequence, taps: [0] } : sequence;
  if (input.ndim === 0) {
    throw new TensorTypeError(
      `scan: the sequence ${describe(input)} is a scalar; give one with an axis of steps, or make it a non-sequence`,
    );
  }
  if (taps.length === 0 || !taps.every(Number.isInteger)) {
    throw new TensorTypeError(`scan: the sequence ${describe(input)} has the taps [${taps.join(', ')}]; give integers`);
  }
  const [first, last] = [Math.min(0, ...taps), Math.max(0, ...taps)];
  return taps.map((tap) => {
    const fewer = last - tap;
    const rows = first === 0 && last === 0 ? input : slice(input, tap - first, shortened(dimension(input, 0), fewer));
    return { rows, name: nameAt(input, stepName(tap)) };
  });
}

function shortened(size: Variable, rows: number): Variable {
  return size instanceof Constant
    ? constant(Math.max(0, size.toNumber() - rows), 'int64')
    : maximum(sub(size, rows), constant(0, 'int64'));
}

function stepsOf(nSteps: number | Variable | undefined, taps: readonly { readonly rows: Variable }[]): Variable {
  if (typeof nSteps === 'number') {
    if (Number.isInteger(nSteps) && nSteps >= 0) return constant(nSteps, 'int64');
    throw new TensorTypeError(`scan: nSteps is ${nSteps}; give an integer of 0 or more`);
  }
  if (nSteps !== undefined) {
    if (nSteps.ndim === 0 && /^u?int/.test(nSteps.dtype)) return cast(nSteps, 'int64');
    throw new TensorTypeError(`scan: nSteps is ${describe(nSteps)}; give an integer scalar`);
  }
  // A known length says most; the others are checked against it.
  const known = taps.find(({ rows }) => isKnown(rows.shape[0])) ?? taps[0];
  if (known === undefined) throw new TensorTypeError('scan: without sequences, say by nSteps how many steps to make');
  return dimension(known.rows, 0);
}

/** As many rows as there are steps, from the end where the scan goes backwards. Too few are an error of the shape. */
function partOf(rows: Variable, steps: Variable, backward: boolean): Variable {
  const size = dimension(rows, 0);
  if (steps instanceof Constant && size instanceof Constant) {
    const [count, length] = [steps.toNumber(), size.toNumber()];
    if (count > length) {
      throw new TensorTypeError(
        `scan: the sequence ${describe(rows)} has ${length} rows for ${count} steps; make fewer steps`,
      );
    }
    return backward ? slice(rows, length - count, length) : slice(rows, 0, count);
  }
  const part = backward ? slice(rows, maximum(sub(size, steps), constant(0, 'int64')), size) : slice(rows, 0, steps);
  return reshape(part, [steps, ...rows.shape.slice(1).map((_, axis) => dimension(rows, axis + 1))]);
}

function truncation(steps: number | undefined): number | null {
  if (steps === undefined || (Number.isInteger(steps) && steps >= 1)) return steps ?? null;
  throw new TensorTypeError(`scan: truncateGradient is ${shown(steps)}; give an integer of 1 or more`);
}

/** A state by its values of the last steps, the newest first: each of them is carried from step to step. */
class StateTaps {
  readonly initial: readonly Variable[];
  /** Inner variables of the values, the newest first. */
  readonly inside: readonly Variable[];
  readonly #taps: readonly number[];

  constructor(info: Variable | TappedState) {
    const { initial, taps } = info instanceof Variable ? { initial: info, taps: [-1] } : info;
    if (taps.length === 0 || !taps.every((tap) => Number.isInteger(tap) && tap < 0)) {
      throw new TensorTypeError(
        `scan: the state ${describe(initial)} has the taps [${taps.join(', ')}]; give negative integers`,
      );
    }
    const longest = -Math.min(...taps);
    this.#taps = taps;
    this.initial =
      longest === 1
        ? [initial]
        : Array.from({ length: longest }, (_, age) => rowOf(initial, longest, longest - 1 - age));
    this.inside = this.initial.map(({ type }, age) => inner(type, nameAt(initial, stepName(-1 - age))));
  }

  /** What the step is given, in the order of the taps. */
  seen(): Variable[] {
    return this.#taps.map((tap) => at(this.inside, -tap - 1));
  }

  /** The value that the step gave, of the sizes of the state. */
  next(result: Variable): Variable {
    const [{ type }] = [at(this.inside, 0)];
    if (result.dtype === type.dtype && commonShape(result.shape, type.shape) !== undefined) return refine(result, type);
    throw new TensorTypeError(
      `scan: the state ${describe(at(this.initial, 0))} is ${describe(result)} after a step; give the state the dtype and shape ${result.dtype} ${formatShape(result.shape)} at the start, or cast what the step gives`,
    );
  }

  /** What is carried on. */
  after(result: Variable): Variable[] {
    return [result, ...this.inside.slice(0, -1)];
  }
}

function rowOf(initial: Variable, rows: number, index: number): Variable {
  const [first = null, ...rest] = initial.shape;
  if (initial.ndim === 0 || (isKnown(first) && first !== rows)) {
    throw new TensorTypeError(
      `scan: the state ${describe(initial)} needs ${rows} first values; give them along its first axis`,
    );
  }
  return reshape(
    slice(initial, index, index + 1),
    rest.map((_, axis) => dimension(initial, axis + 1)),
  );
}
