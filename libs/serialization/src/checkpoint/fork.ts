import { decodeLogEntry, linesOf } from '../log/log-entry.js';
import { lossOf } from '../log/read-log.js';
import { type LogSegment, readSegment, type SegmentDraft, writeSegment } from '../log/log-segment.js';
import { decompress, SegmentWriter } from '../log/segment-writer.js';
import { freshKey } from '../store/fresh-key.js';
import { ContentMismatch, ObjectAbsent, type ObjectStore, PreconditionFailed } from '../store/object-store.js';
import { CheckpointAbsent } from './checkpoint-reader.js';
import { firstWhole } from './first-whole.js';
import { encodeHead, type Head, headKey, readHead, readVersionedHead, RELEASED } from './head.js';
import { blobKeysOf, type CheckpointOrigin, type Manifest, type ManifestFile } from './manifest.js';
import { Manifests } from './manifests.js';
import { CorruptBlob } from './stored-files.js';

/** What a run begins from. */
export interface Fork {
  /** Where the checkpoint is: `experiments/<id>`. */
  readonly fromPrefix: string;
  readonly origin: CheckpointOrigin;
  /** SHA-256 of the module of the program that goes on from it, whatever program it is a state of. */
  readonly programSha256: string;
  /** Who does it, for people: the head names them until a lease is taken. */
  readonly holder: string;
  /** Aborted, it goes on no more: it throws the reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gives a run that has no checkpoint yet one of another run, to go on from: a copy of its own, of which nothing is shared. The manifest says where
 * it is from, and its log has the rows before its step. Whoever takes the lease then finds it as the newest, under fence {@link FORK_FENCE}.
 *
 * The checkpoint must be held meanwhile ({@link holdCheckpoint}). Every file is checked against its SHA-256 as it is copied. It can be done again at
 * any time, as after a crash: nothing changes where there is a checkpoint; what was copied in vain the first lease removes.
 *
 * To be done before a lease of the run can be taken.
 *
 * @returns a sentence for each part of the log that is damaged, and left out
 * @throws CheckpointAbsent if the other run has no such checkpoint any more; CorruptManifest or CorruptBlob if it is damaged; HeadDamaged. What else
 * the store throws says nothing: try again
 */
export async function forkCheckpoint(store: ObjectStore, prefix: string, fork: Fork): Promise<readonly string[]> {
  const present = await readHead(store, prefix);
  if (present !== undefined && present.checkpoints.length > 0) return [];
  const { fromPrefix, origin, programSha256, holder, signal } = fork;
  const given = await manifestOf(store, fromPrefix, origin);
  const files = new Map<string, ManifestFile>();
  for (const file of given.files)
    files.set(file.sha256, files.get(file.sha256) ?? (await copiedFile(store, prefix, file, signal)));
  const { segments, losses } = await copiedLog(store, prefix, given, signal);
  const manifest: Manifest = {
    version: 2,
    step: given.step,
    fence: FORK_FENCE,
    createdAt: new Date().toISOString(),
    environment: given.environment,
    programSha256,
    ...(given.datasets !== undefined && { datasets: given.datasets }),
    ...(given.libraries !== undefined && { libraries: given.libraries }),
    from: origin,
    files: given.files.map(({ name, sha256, sizeBytes }) => {
      const { blobKey } = files.get(sha256) ?? unreachable(name);
      return { name, blobKey, sha256, sizeBytes };
    }),
    log: segments,
  };
  const entry = await new Manifests(store, prefix).write(manifest);
  for (;;) {
    const current = await readVersionedHead(store, prefix);
    if (current !== undefined && current.head.checkpoints.length > 0) return [];
    const fresh: Head = {
      version: 3,
      fence: FORK_FENCE,
      holder,
      claim: RELEASED,
      checkpoints: [],
      log: null,
      outcome: null,
    };
    const head: Head = { ...(current?.head ?? fresh), checkpoints: [entry] };
    try {
      await store.compareAndSet(headKey(prefix), current?.version ?? null, encodeHead(head));
      return losses;
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error;
    }
  }
}

/** The fence of what a run has from another one: below that of every attempt. */
export const FORK_FENCE = 0;

async function manifestOf(store: ObjectStore, prefix: string, { step, sha256 }: CheckpointOrigin): Promise<Manifest> {
  const head = await readHead(store, prefix);
  const entry = head?.checkpoints.find((each) => each.sha256 === sha256);
  if (entry === undefined)
    throw new CheckpointAbsent(`${prefix} has no checkpoint of step ${step} with SHA-256 ${sha256} any more`);
  return await new Manifests(store, prefix).read(entry);
}

async function copiedFile(
  store: ObjectStore,
  prefix: string,
  file: ManifestFile,
  signal: AbortSignal | undefined,
): Promise<ManifestFile> {
  const { name, sha256, sizeBytes } = file;
  const blobKey = freshKey(`${prefix}/blobs/${FORK_FENCE}/${sha256}`);
  const copy = async (key: string): Promise<void> => {
    try {
      await store.put(
        blobKey,
        { stream: store.openRead(key, { signal }) },
        { expected: { sha256, sizeBytes }, signal },
      );
    } catch (error) {
      if (error instanceof ContentMismatch)
        throw new CorruptBlob(`file ${name} has other bytes than were committed (object ${key})`);
      if (error instanceof ObjectAbsent) throw new CorruptBlob(`file ${name} is missing: there is no object ${key}`);
      throw error;
    }
  };
  await firstWhole(blobKeysOf(file), copy, CorruptBlob);
  return { name, blobKey, sha256, sizeBytes };
}

/** The rows before the step. That of a run that has ended has its own step, too. */
async function copiedLog(
  store: ObjectStore,
  prefix: string,
  { step, log }: Manifest,
  signal: AbortSignal | undefined,
): Promise<{ readonly segments: readonly LogSegment[]; readonly losses: readonly string[] }> {
  const segments: LogSegment[] = [];
  const losses: string[] = [];
  for (const segment of log) {
    if (segment.firstStep >= step) continue;
    const { bytes, damage } = await readSegment(store, segment);
    if (bytes === undefined) {
      losses.push(lossOf(segment, damage));
      continue;
    }
    const draft = segment.lastStep < step ? { ...segment, bytes } : await before(step, bytes);
    if (draft.rows > 0) segments.push(await writeSegment(store, prefix, FORK_FENCE, draft, { signal }));
  }
  return { segments, losses };
}

/** The entries of a segment of steps before one. */
async function before(step: number, bytes: Uint8Array): Promise<SegmentDraft> {
  const writer = new SegmentWriter();
  try {
    for await (const lines of linesOf(decompress(bytes))) {
      const entries = lines.map((line) => ({ line, step: decodeLogEntry(line).step }));
      await writer.addLines(entries.filter((entry) => entry.step < step));
    }
    return await writer.finish();
  } finally {
    writer.close();
  }
}

function unreachable(name: string): never {
  throw new Error(`file ${name} was not copied`);
}
