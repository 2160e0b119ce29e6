import type {
  CheckpointVerification,
  StoredCheckpointList,
  StoredCheckpointSummary,
  StoredCheckpointView,
} from '@longrun/contracts';
import {
  blobKeysOf,
  type ByteRange,
  CheckpointAbsent,
  CheckpointReader,
  CorruptBlob,
  CorruptManifest,
  HeadDamaged,
  holdCheckpoint,
  type ManifestFile,
  NewerState,
  ObjectAbsent,
  type ObjectStore,
  PIN,
  releaseCheckpoint,
  StateMismatch,
  TooManyHolds,
} from '@longrun/serialization';

import { audit, USER } from '../record/audit.js';
import { checkpointFindings, verificationOf } from '../checkpoints/findings.js';
import { checkpointList, checkpointView } from '../checkpoints/views.js';
import { leasePrefix } from '../life/outcome.js';
import type { PlatformRecord } from '../record/record.js';
import { AskedStore } from './asked-store.js';
import { checkedBytes } from './checked-bytes.js';
import { heldBytes, holdForUrls } from './held-bytes.js';
import { absent, thoseThere } from './life-reading.js';
import type { LongReading } from './long-reading.js';
import { refused } from './request-refused.js';
import { type StoredFile, URL_VALID_MS } from './stored-file.js';

export interface CheckpointsOptions {
  readonly record: PlatformRecord;
  readonly store: ObjectStore;
  /** How long a checkpoint is held after the last sign of whoever downloads a file of it, in ms. Default: ten minutes. */
  readonly holdMs?: number;
}

/** Which file of a checkpoint is asked for. */
export interface FileRequest {
  readonly name: string;
  /** What its name begins with in the checkpoint: it is left out of all that is said of names. Default: nothing. */
  readonly prefix?: string | undefined;
  /** Which of two copies: 1 or 2. Default: the first that is there with the right size. */
  readonly copy?: number | undefined;
  /** Aborted, nothing is read any more. */
  readonly signal: AbortSignal;
}

/**
 * What users see of the checkpoints of experiments: the object store is asked each time, and the record has no part in it but that there is
 * such an experiment. A checkpoint is named by its step, its name or as `latest`. Every method throws `RequestRefused` for what is not there
 * or cannot be read, and ObjectsUnreachable where the store cannot be asked.
 */
export class Checkpoints {
  readonly #options: CheckpointsOptions;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /** All checkpoints of an experiment, newest first; none where it has never begun. */
  async list(id: string): Promise<StoredCheckpointList> {
    return this.#asked(id, undefined, async (reader) => {
      try {
        return checkpointList(await reader.list());
      } catch (error) {
        if (error instanceof CheckpointAbsent) {
          return { fence: null, holder: null, outcome: null, log: null, items: [] };
        }
        throw error;
      }
    });
  }

  /** What a checkpoint consists of. */
  async get(id: string, which: string): Promise<StoredCheckpointView> {
    return this.#asked(id, which, (reader) => checkpointView(reader, which));
  }

  /** A file of a checkpoint. */
  async file(id: string, which: string, { name, prefix = '', copy, signal }: FileRequest): Promise<StoredFile> {
    return this.#asked(
      id,
      which,
      (reader) =>
        reader.read(which, async ({ name: checkpoint, entry, manifest }) => {
          const file = manifest.files.find((each) => each.name === `${prefix}${name}`);
          if (file === undefined) {
            const names = manifest.files.map((each) => each.name);
            const known = names.filter((each) => each.startsWith(prefix)).map((each) => each.slice(prefix.length));
            const facts = { checkpoint, name, known };
            throw refused('not-found', [{ path: [], parameter: 'name', code: 'file-unknown', facts }]);
          }
          if (copy === 2 && file.copyKey === undefined) {
            const facts = { checkpoint, name };
            throw refused('not-found', [{ path: [], parameter: 'copy', code: 'copy-unknown', facts }]);
          }
          const key = await presentKey(reader.store, file, copy);
          const { sha256, sizeBytes } = file;
          const { manifestKey } = entry;
          const read = (range?: ByteRange): AsyncGenerator<Uint8Array> => {
            const bytes = reader.store.openRead(key, { range });
            const given = range === undefined ? checkedBytes(bytes, file) : bytes;
            const { start = 0, end = sizeBytes } = range ?? {};
            if (end - start < LEAST_HELD_BYTES) return refusing(given, id, checkpoint);
            const { store, holdMs = HOLD_MS } = this.#options;
            return refusing(heldBytes(given, { store, prefix: reader.prefix, manifestKey, holdMs }), id, checkpoint);
          };
          const url = async (): Promise<string | undefined> => {
            const made = await reader.store.downloadUrl(key, { validMs: URL_VALID_MS, fileName: name });
            if (made === undefined) return undefined;
            try {
              await holdForUrls(this.#options.store, reader.prefix, entry);
            } catch (error) {
              throw refusalFor(error, id, checkpoint);
            }
            return made;
          };
          return { name, sha256, sizeBytes, read, url };
        }),
      signal,
    );
  }

  /** Keeps a checkpoint, whatever is committed after it, until it is unpinned. One that is pinned stays so. */
  async pin(id: string, which: string): Promise<StoredCheckpointSummary> {
    return this.#changed(id, which, 'pin', async (store, prefix, manifestKey) => {
      await holdCheckpoint(store, prefix, manifestKey, { name: PIN });
    });
  }

  /** Lets go of a checkpoint that was pinned; one that is not stays so. By a step the newest one of it that is pinned is meant, if any is. */
  async unpin(id: string, which: string): Promise<StoredCheckpointSummary> {
    return this.#changed(
      id,
      which,
      'unpin',
      async (store, prefix, manifestKey) => {
        await releaseCheckpoint(store, prefix, manifestKey, PIN);
      },
      isPinned,
    );
  }

  /** Reads every byte of a checkpoint, or of all (`which` is undefined) and the log beside them, and says what is damaged. */
  async verify(
    id: string,
    which: string | undefined,
    { signal, onFound }: LongReading,
  ): Promise<CheckpointVerification> {
    return this.#asked(
      id,
      which,
      async (reader) => {
        await reader.readListed(which ?? 'latest', async () => onFound?.());
        const findings = [];
        for await (const finding of checkpointFindings(reader, which)) findings.push(finding);
        return verificationOf(findings);
      },
      signal,
    );
  }

  async #changed(
    id: string,
    which: string,
    action: 'pin' | 'unpin',
    change: (store: ObjectStore, prefix: string, manifestKey: string) => Promise<void>,
    isPreferred: (item: StoredCheckpointSummary) => boolean = () => false,
  ): Promise<StoredCheckpointSummary> {
    return this.#asked(id, which, async (reader) => {
      const before = checkpointList(await reader.list()).items;
      const preferred = before.find((item) => String(item.step) === which && isPreferred(item));
      const { name, manifestKey } = await reader.readListed(preferred?.name ?? which, async (listed) => ({
        name: listed.name,
        manifestKey: listed.entry.manifestKey,
      }));
      await change(reader.store, reader.prefix, manifestKey);
      const wasPinned = before.some((item) => item.name === name && isPinned(item));
      await this.#note(id, wasPinned === (action === 'pin') ? undefined : { action, checkpoint: name });
      const { items } = checkpointList(await reader.list());
      const changed = items.find((item) => item.name === name);
      if (changed !== undefined) return changed;
      // Nothing else has kept it.
      throw new CheckpointAbsent(
        `${reader.prefix} has no checkpoint ${name} any more`,
        items.map((item) => item.name),
      );
    });
  }

  /** Notes what was changed. Refused where the experiment was deleted meanwhile: whoever deletes it looks at the audit for what was pinned since. */
  async #note(
    id: string,
    changed: { readonly action: 'pin' | 'unpin'; readonly checkpoint: string } | undefined,
  ): Promise<void> {
    await this.#options.record.transact(async (transaction) => {
      if (!(await thoseThere(transaction, [id])).has(id)) throw await absent(transaction, 'experiment', id);
      if (changed === undefined) return;
      const { action, checkpoint } = changed;
      await audit(transaction, { actor: USER, action, subject: id, before: null, after: { checkpoint } });
    });
  }

  async #asked<T>(
    id: string,
    which: string | undefined,
    ask: (reader: CheckpointReader) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { record, store } = this.#options;
    const known = await record.db.selectFrom('experiments').select('id').where('id', '=', id).executeTakeFirst();
    if (known === undefined) throw await absent(record.db, 'experiment', id);
    try {
      return await ask(new CheckpointReader(new AskedStore(store, signal), leasePrefix('experiment', id)));
    } catch (error) {
      throw refusalFor(error, id, which ?? 'latest');
    }
  }
}

function isPinned({ holds }: StoredCheckpointSummary): boolean {
  return holds.some(({ name }) => name === PIN);
}

/** What is read in a moment is not held: whoever reads a file in small ranges would change the head with each. */
const LEAST_HELD_BYTES = 4 * 1024 * 1024;

const HOLD_MS = 600_000;

/** The key of a copy of a file that is there with its size. @throws CorruptBlob */
async function presentKey(store: ObjectStore, file: ManifestFile, copy: number | undefined): Promise<string> {
  const { name, sizeBytes } = file;
  const keys = blobKeysOf(file);
  const wanted = copy === undefined ? keys : keys.slice(copy - 1, copy);
  const reasons: string[] = [];
  for (const key of wanted) {
    const facts = await store.head(key);
    if (facts?.sizeBytes === sizeBytes) return key;
    reasons.push(
      facts === undefined
        ? `there is no object ${key}`
        : `object ${key} has ${facts.sizeBytes} bytes but ${sizeBytes} were committed`,
    );
  }
  throw new CorruptBlob(`file ${name} cannot be read: ${reasons.join(', ')}`);
}

async function* refusing<T>(steps: AsyncIterable<T>, experiment: string, checkpoint: string): AsyncGenerator<T> {
  try {
    yield* steps;
  } catch (error) {
    throw refusalFor(error, experiment, checkpoint);
  }
}

/** The refusal that an error of reading checkpoints is to whoever asked for one; any other as it is. */
export function refusalFor(error: unknown, experiment: string, checkpoint: string): unknown {
  if (!(error instanceof Error)) return error;
  const says = error.message;
  if (error instanceof CheckpointAbsent) {
    const facts = { experiment, checkpoint, known: [...error.known] };
    return refused('not-found', [{ path: [], parameter: 'checkpoint', code: 'checkpoint-unknown', facts }]);
  }
  if (error instanceof TooManyHolds) {
    const facts = { experiment, checkpoint, holds: error.holds };
    return refused('conflict', [{ path: [], parameter: 'checkpoint', code: 'too-many-holds', facts }]);
  }
  if (error instanceof NewerState)
    return refused('unreadable', [{ path: [], code: 'written-by-newer', facts: { experiment, says } }]);
  if (error instanceof HeadDamaged)
    return refused('unreadable', [{ path: [], code: 'head-damaged', facts: { experiment, says } }]);
  const isDamage = [CorruptBlob, CorruptManifest, ObjectAbsent, StateMismatch].some((kind) => error instanceof kind);
  if (isDamage) {
    const facts = { experiment, checkpoint, says };
    return refused('unreadable', [{ path: [], code: 'checkpoint-damaged', facts }]);
  }
  return error;
}
