import type { ObjectStore } from '../store/object-store.js';
import { Garbage } from './garbage.js';
import { readHead } from './head.js';
import { Manifests } from './manifests.js';

/**
 * Removes what a run that has ended has left and nobody needs: its last worker does so itself, unless it is killed before it is done. No
 * lease is needed, as none can be taken any more: what the head does not name then, nobody ever will. Checkpoints that the head names stay,
 * and with them those that are held. Of a run that has not ended nothing is removed, nor where a manifest that says what is needed is
 * damaged.
 *
 * Any number may do it at once, and each may be interrupted.
 *
 * @throws HeadDamaged; DeletionFailed, or what else the store throws: it can be tried again
 */
export async function cleanEnded(store: ObjectStore, prefix: string): Promise<void> {
  const head = await readHead(store, prefix);
  if (head === undefined || head.outcome === null) return;
  await new Garbage(store, prefix, new Manifests(store, prefix)).collect(head);
}
