import type { Json, VersionedState } from '@longrun/serialization';

/**
 * Whether a build wrote this state in which transformers that keep nothing between batches had no state of their own: theirs was that
 * of the stream below. What is innermost tells, as its versions are known.
 */
export function isOlderThanOptions(state: VersionedState): boolean {
  let innermost = state;
  for (let below = state['stream']; isState(below); below = below['stream']) innermost = below;
  const { kind, version } = innermost;
  const last = typeof kind === 'string' ? LAST_WITHOUT_OPTIONS.get(kind) : undefined;
  return last !== undefined && version <= last;
}

/** The last version of each kind of innermost states around which transformers wrote no options. */
const LAST_WITHOUT_OPTIONS: ReadonlyMap<string, number> = new Map([
  ['DatasetStream', 2],
  ['IterableDataset', 1],
]);

function isState(value: Json | undefined): value is VersionedState {
  return typeof value === 'object' && value !== null && 'version' in value && typeof value['version'] === 'number';
}
