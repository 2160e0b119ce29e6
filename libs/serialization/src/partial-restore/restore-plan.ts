import type { TensorFacts } from '../safetensors/safetensors-file.js';
import { keepsValues } from '../cast.js';
import { type NameSelection, selectionOf } from './name-selection.js';
import { nearestNames } from './nearest-names.js';
import { type RestoreFault, RestoreRefused } from './restore-refused.js';
import type { TensorSource } from './tensor-source.js';

/** Which tensors are restored, and what is done where a source and what is wanted differ. By default every difference is refused. */
export interface RestoreOptions {
  /**
   * Which of the wanted tensors are restored: all that a pattern (or one of several) matches, or for which a function says yes. The others
   * stay as they are, and what the source has under their names does not count. Default: all
   */
  readonly select?: NameSelection | undefined;
  /**
   * The name among those wanted of a tensor of the source: new names by old ones, where the names that are not listed stay, or a function. It
   * comes before `select`. Default: the same name
   */
  readonly rename?: Renaming | undefined;
  /** For a wanted tensor that the source has not. `keep`: it stays as it is. Default `refuse` */
  readonly onMissing?: 'refuse' | 'keep' | undefined;
  /** For a tensor of the source that nothing is wanted of. Default `refuse` */
  readonly onUnexpected?: 'refuse' | 'ignore' | undefined;
  /**
   * For a tensor of another shape than the wanted one. `keep`: that stays as it is. `overlap`: of each axis as much is taken from the start
   * as both have, the rest stays as it is, such as the rows of a vocabulary that grew; another number of axes is refused.
   * Default `refuse`
   */
  readonly onShapeMismatch?: 'refuse' | 'keep' | 'overlap' | undefined;
  /**
   * For a tensor of another dtype than the wanted one, which it is always converted to. `widen`: only where each value of the one dtype is
   * one of the other, float32 as float64; the others are refused. `cast`: from each dtype to each, as {@link cast} does; float64 to float32
   * rounds. Default `widen`
   */
  readonly onDTypeMismatch?: 'widen' | 'cast' | undefined;
}

/** What there is to be restored. */
export interface WantedTensor extends TensorFacts {
  /** The sizes that it may have, null where any serves. Default: those of `shape` */
  readonly sizes?: readonly (number | null)[];
}

/** New names by old ones, or a function from the one to the other. */
export type Renaming = ReadonlyMap<string, string> | Readonly<Record<string, string>> | ((name: string) => string);

/** What is restored from where, and what is not. Each wanted name is in `restored` or `kept`, each of the source in `restored` or `ignored`. */
export interface RestorePlan {
  readonly restored: readonly RestoredTensor[];
  readonly kept: readonly KeptTensor[];
  readonly ignored: readonly IgnoredTensor[];
}

/** A wanted tensor that is restored: all of it, or the corner that both have where the shapes differ. */
export interface RestoredTensor {
  readonly name: string;
  /** Its name in the source. */
  readonly from: string;
  readonly wanted: TensorFacts;
  readonly found: TensorFacts;
}

/** A wanted tensor that stays as it is. */
export interface KeptTensor {
  readonly name: string;
  readonly reason: 'missing' | 'shape' | 'not selected';
}

/** A tensor of the source that is not restored, by its name there. */
export interface IgnoredTensor {
  readonly name: string;
  readonly reason: 'unexpected' | 'shape' | 'not selected';
}

/**
 * Decides what of a source is restored. It reads no values.
 *
 * @param wanted what there is to be restored, by name
 * @throws RestoreRefused with every fault: what the options do not allow, two tensors of the source for one name, and names in `rename` and
 * `select` that there are not
 */
export function planRestore(
  source: Pick<TensorSource, 'where' | 'tensors'>,
  wanted: ReadonlyMap<string, WantedTensor>,
  options: RestoreOptions = {},
): RestorePlan {
  const selection = selectionOf(options.select, [...wanted.keys()]);
  const { selects } = selection;
  const renaming = renamingOf(options.rename, source.tensors);
  const faults: RestoreFault[] = [
    ...selection.unused.map((name) => ({ kind: 'unused', option: 'select', name }) as const),
    ...renaming.unused.map((name) => ({ kind: 'unused', option: 'rename', name }) as const),
  ];
  const given = byNewName(source.tensors.keys(), renaming.rename);

  const restored: RestoredTensor[] = [];
  const kept: KeptTensor[] = [];
  const ignored: IgnoredTensor[] = [];
  for (const [name, facts] of wanted) {
    const [from, ...others] = given.get(name) ?? [];
    const found = from === undefined ? undefined : source.tensors.get(from);
    if (!selects(name)) {
      kept.push({ name, reason: 'not selected' });
    } else if (from === undefined || found === undefined) {
      kept.push({ name, reason: 'missing' });
    } else if (others.length > 0) {
      faults.push({ kind: 'ambiguous', name, from: [from, ...others] });
    } else {
      const tensor = { name, from, wanted: asFound(facts, found), found };
      const verdict = verdictOn(tensor, options);
      if (verdict === 'restored') restored.push(tensor);
      else if (verdict === 'kept') kept.push({ name, reason: 'shape' });
      else faults.push({ kind: verdict, ...tensor });
      if (verdict === 'kept') ignored.push({ name: from, reason: 'shape' });
    }
  }
  for (const [name, froms] of given) {
    if (!selects(name)) ignored.push(...froms.map((from) => ({ name: from, reason: 'not selected' }) as const));
    else if (!wanted.has(name)) ignored.push(...froms.map((from) => ({ name: from, reason: 'unexpected' }) as const));
  }

  faults.push(...unmatched(source.tensors, wanted, { kept, ignored }, options));
  if (faults.length > 0) throw new RestoreRefused(source.where, faults);
  return { restored, kept, ignored };
}

/** What is wanted, of the shape that was found where it may have that. */
function asFound({ dtype, shape, sizes = shape }: WantedTensor, found: TensorFacts): TensorFacts {
  const mayHave =
    found.shape.length === sizes.length && sizes.every((size, axis) => size === null || size === found.shape[axis]);
  return { dtype, shape: mayHave ? found.shape : shape };
}

/** The function that renames, and the names listed that there are not. */
function renamingOf(
  renaming: Renaming = {},
  tensors: ReadonlyMap<string, TensorFacts>,
): { readonly rename: (name: string) => string; readonly unused: readonly string[] } {
  if (typeof renaming === 'function') return { rename: renaming, unused: [] };
  const listed = new Map(renaming instanceof Map ? renaming : Object.entries(renaming));
  return {
    rename: (name) => listed.get(name) ?? name,
    unused: [...listed.keys()].filter((name) => !tensors.has(name)),
  };
}

/** The names of the source by those that they have among the wanted. */
function byNewName(names: Iterable<string>, rename: (name: string) => string): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, string[]>();
  for (const from of names) {
    const name = rename(from);
    const froms = byName.get(name);
    if (froms === undefined) byName.set(name, [from]);
    else froms.push(from);
  }
  return byName;
}

function verdictOn(
  { wanted, found }: RestoredTensor,
  { onShapeMismatch = 'refuse', onDTypeMismatch = 'widen' }: RestoreOptions,
): 'restored' | 'kept' | 'shape' | 'dtype' {
  if (String(found.shape) !== String(wanted.shape)) {
    if (onShapeMismatch === 'keep') return 'kept';
    if (onShapeMismatch === 'refuse' || found.shape.length !== wanted.shape.length) return 'shape';
  }
  return onDTypeMismatch === 'cast' || keepsValues(found.dtype, wanted.dtype) ? 'restored' : 'dtype';
}

/** The faults of what is on one side only. */
function unmatched(
  tensors: ReadonlyMap<string, TensorFacts>,
  wanted: ReadonlyMap<string, TensorFacts>,
  { kept, ignored }: Pick<RestorePlan, 'kept' | 'ignored'>,
  { onMissing = 'refuse', onUnexpected = 'refuse' }: RestoreOptions,
): RestoreFault[] {
  const missing = new Set(kept.filter(({ reason }) => reason === 'missing').map(({ name }) => name));
  const unexpected = new Set(ignored.filter(({ reason }) => reason === 'unexpected').map(({ name }) => name));
  const faults: RestoreFault[] = [];
  if (onMissing === 'refuse') {
    for (const [name, facts] of wanted) {
      if (missing.has(name))
        faults.push({ kind: 'missing', name, wanted: facts, nearest: nearestNames(name, unexpected) });
    }
  }
  if (onUnexpected === 'refuse') {
    for (const [name, facts] of tensors) {
      if (unexpected.has(name))
        faults.push({ kind: 'unexpected', name, found: facts, nearest: nearestNames(name, missing) });
    }
  }
  return faults;
}
