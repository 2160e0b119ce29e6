import { at } from '../arrays/at.js';
import { checkArguments, checkOption, shown, variablesFrom } from '../graph/arguments.js';
import { Constant, constant } from '../graph/constant.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { add } from './add.js';
import { arange } from './arange.js';
import { zeros } from './broadcast-to.js';
import { concatenate } from './concatenate.js';
import { dimension } from './dimension.js';
import { floorDiv } from './division.js';
import { index } from './index-axis.js';
import { maximum } from './maximum.js';
import { minimum } from './minimum.js';
import { mul } from './mul.js';
import { reshape } from './reshape.js';
import { scan } from './scan.js';
import { sub } from './sub.js';

/** Options of {@link scanCheckpoints}: those of `scan`, without taps. */
export interface ScanCheckpointsOptions {
  /** What a step gets a row of, along the first axis. All must have as many rows. Default none. */
  readonly sequences?: readonly Variable[];
  /** For each output of the step, the value before the first step; null where the step does not use its own earlier values. */
  readonly outputsInfo: readonly (Variable | null)[];
  /** Given to the step last, the same each time. Default none. */
  readonly nonSequences?: readonly Variable[];
  /** How many steps to make where there are no sequences, whose rows say so else. */
  readonly nSteps?: number;
  /** After how many steps values are kept. Default 10. */
  readonly saveEvery?: number;
}

/**
 * A `scan` whose gradients keep the states of every `saveEvery`-th step alone and compute those between them again: of n steps it
 * holds `n / saveEvery + saveEvery` states instead of n, for the time of one more scan. They are those of a scan bit for bit, but
 * for the last bits of what all steps share, which is summed part by part. Theano's `scan_checkpoints`.
 *
 * @returns for each output of the step its values after every `saveEvery` steps, and after the last where these do not end with it.
 * @throws TensorTypeError as `scan` does.
 */
export function scanCheckpoints(
  step: (...variables: Variable[]) => Variable | readonly Variable[],
  options: ScanCheckpointsOptions,
): Variable[] {
  checkArguments('scanCheckpoints', ['step', step, 'function'], ['options', options, 'options']);
  checkOption('scanCheckpoints', 'sequences', options.sequences, 'variables');
  checkOption('scanCheckpoints', 'outputsInfo', options.outputsInfo ?? null, 'states');
  checkOption('scanCheckpoints', 'nonSequences', options.nonSequences, 'variables');
  checkOption('scanCheckpoints', 'nSteps', options.nSteps, 'integer');
  const { sequences = [], nonSequences = [], outputsInfo, saveEvery = 10 } = options;
  const parts = partsOf(sequences, options.nSteps, saveEvery);
  return scan(
    (length, ...variables) => {
      const states = variables.slice(sequences.length);
      const statesBefore = (position: number): number =>
        outputsInfo.slice(0, position).filter((info) => info !== null).length;
      const results = scan((...given) => variablesFrom('scanCheckpoints', 'the step', step(...given)), {
        sequences: variables.slice(0, sequences.length),
        outputsInfo: outputsInfo.map((info, position) => (info === null ? null : at(states, statesBefore(position)))),
        nonSequences,
        nSteps: parts.areWhole ? saveEvery : length,
      });
      return results.map((values) => index(values, -1));
    },
    { sequences: [parts.lengths, ...sequences.map((rows) => rowsByPart(rows, parts))], outputsInfo },
  );
}

/** The steps, in parts of `size`, of which the last may be shorter. */
interface Parts {
  readonly steps: Variable;
  readonly size: number;
  readonly count: Variable;
  /** How many steps each has, at least 1: of no parts at all, a scan asks what one would be. */
  readonly lengths: Variable;
  /** Whether the last is known not to be shorter. */
  readonly areWhole: boolean;
}

function partsOf(sequences: readonly Variable[], nSteps: number | undefined, size: number): Parts {
  if (!Number.isInteger(size) || size < 1) {
    throw new TensorTypeError(`scanCheckpoints: saveEvery is ${shown(size)}; give an integer of 1 or more`);
  }
  if ((sequences.length === 0) === (nSteps === undefined)) {
    throw new TensorTypeError(
      'scanCheckpoints: give sequences or nSteps, one of which says how many steps to make, and not both',
    );
  }
  const steps = nSteps === undefined ? dimension(at(sequences, 0), 0) : constant(nSteps, 'int64');
  const known = steps instanceof Constant ? steps.toNumber() : undefined;
  const count = known === undefined ? floorDiv(add(steps, size - 1), size) : constant(Math.ceil(known / size), 'int64');
  const left = sub(steps, mul(arange(0, count), size));
  const lengths = maximum(minimum(left, constant(size, 'int64')), constant(1, 'int64'));
  return { steps, size, count, lengths, areWhole: known !== undefined && known % size === 0 };
}

/** `rows` with an axis of parts before that of the steps in one, which is filled up with zeros in the last. */
function rowsByPart(rows: Variable, { steps, size, count, areWhole }: Parts): Variable {
  const rest = rows.shape.slice(1).map((_, axis) => dimension(rows, axis + 1));
  // Where there is another number of rows, this says so.
  const exact = reshape(rows, [steps, ...rest]);
  if (areWhole) return reshape(exact, [count, size, ...rest]);
  const missing =
    count instanceof Constant && steps instanceof Constant
      ? count.toNumber() * size - steps.toNumber()
      : sub(mul(count, size), steps);
  return reshape(concatenate([exact, zeros([missing, ...rest], rows.dtype)]), [count, size, ...rest]);
}
