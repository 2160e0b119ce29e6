import { z } from 'zod';

import { type LogSegment, logSegmentSchema, segmentKeysOf } from '../log/log-segment.js';
import { sha256Of } from '../sha256.js';
import type { Json } from '../state.js';
import { StateKind } from '../state-kind.js';
import { decodeVersionedJson, parsedJson } from './versioned-json.js';

/** A file of a checkpoint. */
export interface ManifestFile {
  /** Name in the snapshot's folder: `parameters.safetensors`. */
  readonly name: string;
  /** Where its bytes are in the object store. */
  readonly blobKey: string;
  /** Where they are once more, if they are kept twice. */
  readonly copyKey?: string | undefined;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** What a checkpoint consists of; the README of this room says what that is. Its own SHA-256 is in the head. */
export interface Manifest {
  readonly version: 2;
  readonly step: number;
  readonly fence: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The numeric environment that made it. */
  readonly environment: Json;
  /** SHA-256 of the module of the program that it is a state of; undefined where that is not known. */
  readonly programSha256?: string | undefined;
  /** SHA-256 of the files of the datasets, by role; undefined where they are not known. */
  readonly datasets?: Readonly<Record<string, string>> | undefined;
  /** Versions of the libraries that made it, by name; undefined where they are not known. */
  readonly libraries?: Readonly<Record<string, string>> | undefined;
  /** Of which checkpoint the run began, where it was that of another; undefined where it began at its beginning. */
  readonly from?: CheckpointOrigin | undefined;
  readonly files: readonly ManifestFile[];
  /** Every row of the run before the step, oldest first. */
  readonly log: readonly LogSegment[];
}

/** A checkpoint that another run went on from. */
export interface CheckpointOrigin {
  /** Id of the experiment that it was of. */
  readonly experiment: string;
  readonly step: number;
  /** Of its manifest. */
  readonly sha256: string;
  /** In what this run differs from that one, besides parameters: `program`, `datasets`. */
  readonly changed: readonly string[];
}

/** Keys of all objects that a checkpoint needs, the manifest itself aside. */
export function objectKeysOf({ files, log }: Manifest): readonly string[] {
  return [...files.flatMap(blobKeysOf), ...segmentKeysOf(log)];
}

/** Where the bytes of a file are. */
export function blobKeysOf({ blobKey, copyKey }: ManifestFile): readonly string[] {
  return copyKey === undefined ? [blobKey] : [blobKey, copyKey];
}

/** The bytes of a manifest, and their SHA-256. */
export function encodeManifest(manifest: Manifest): { readonly bytes: Uint8Array; readonly sha256: string } {
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
  return { bytes, sha256: sha256Of(bytes) };
}

/**
 * Reads a manifest.
 *
 * @throws CorruptManifest if the bytes have another SHA-256 than the head says; StateMismatch if a newer build has written it.
 */
export function decodeManifest(key: string, bytes: Uint8Array, sha256: string): Manifest {
  const found = sha256Of(bytes);
  if (found !== sha256) {
    throw new CorruptManifest(
      `manifest ${key} has SHA-256 ${found} but the head says ${sha256}: its bytes have changed`,
    );
  }
  return decodeVersionedJson(`manifest ${key}`, bytes, MANIFEST, manifestSchema);
}

/** The bytes of a manifest are not those that were committed. */
export class CorruptManifest extends Error {
  override readonly name = 'CorruptManifest';
}

/** Checks the name of a snapshot's file, which becomes one in a folder: no slashes, no leading dot. */
export function checkFileName(name: string): void {
  if (FILE_NAME.test(name)) return;
  throw new RangeError(
    `snapshot file ${JSON.stringify(name)}: give a plain file name of A-Z a-z 0-9 . _ - that starts with no dot`,
  );
}

const FILE_NAME = /^[\w-][\w.-]{0,199}$/u;

const MANIFEST = new StateKind('manifest', {
  version: 2,
  namedSince: Infinity,
  // The first version called the fence an epoch, and had no log.
  migrations: [{ from: 1, migrate: ({ epoch = null, ...rest }) => ({ ...rest, version: 2, fence: epoch, log: [] }) }],
});

const manifestSchema: z.ZodType<Manifest> = z.object({
  version: z.literal(2),
  step: z.int().nonnegative(),
  fence: z.int().nonnegative(),
  createdAt: z.string(),
  environment: parsedJson,
  // Earlier builds had none.
  programSha256: z.string().optional(),
  datasets: z.record(z.string(), z.string()).optional(),
  libraries: z.record(z.string(), z.string()).optional(),
  from: z
    .object({ experiment: z.string(), step: z.int().nonnegative(), sha256: z.string(), changed: z.array(z.string()) })
    .optional(),
  files: z.array(
    z.object({
      name: z.string().regex(FILE_NAME),
      blobKey: z.string(),
      // Earlier builds had none.
      copyKey: z.string().optional(),
      sha256: z.string(),
      sizeBytes: z.int().nonnegative(),
    }),
  ),
  // The first manifests of version 2 had none.
  log: z.array(logSegmentSchema).default([]),
});
