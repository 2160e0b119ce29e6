import type { VersionedState } from '@longrun/serialization';
import type { DataStream } from './data-stream.js';

/** Has each stream go on from its state; where one refuses its own, all are left as they were. @throws What it throws */
export function restoreTogether(streams: readonly DataStream[], states: readonly VersionedState[]): void {
  const before = streams.map((stream) => stream.state());
  const restoreAll = (to: readonly VersionedState[]): void => {
    for (const [at, state] of to.entries()) streams[at]?.restore(state);
  };
  try {
    restoreAll(states);
  } catch (error) {
    restoreAll(before);
    throw error;
  }
}
