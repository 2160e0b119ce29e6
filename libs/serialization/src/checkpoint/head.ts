import { z } from 'zod';

import type { Json } from '../state.js';
import type { ObjectStore } from '../store/object-store.js';
import { decodeVersionedJson } from './versioned-json.js';

/** A committed checkpoint, as the head names it. */
export interface CheckpointEntry {
  readonly manifestKey: string;
  /** SHA-256 of the manifest's bytes. */
  readonly sha256: string;
  readonly step: number;
}

/** What is true of an experiment's bytes: who may write, which checkpoints there are, and how it ended. */
export interface Head {
  readonly version: 2;
  /** Of the newest lease. Only its holder may write. */
  readonly fence: number;
  readonly holder: string;
  /** Unique to the taking of the lease. */
  readonly claim: string;
  /** Newest first. */
  readonly checkpoints: readonly CheckpointEntry[];
  /** Null until the experiment has ended; then no lease can be taken any more. */
  readonly outcome: Json;
}

/** The head under a prefix, or undefined if no lease was ever taken. */
export async function readHead(store: ObjectStore, prefix: string): Promise<Head | undefined> {
  return (await readVersionedHead(store, prefix))?.head;
}

/** The head and the version of its register. */
export async function readVersionedHead(
  store: ObjectStore,
  prefix: string,
): Promise<{ readonly head: Head; readonly version: string } | undefined> {
  const value = await store.readRegister(headKey(prefix));
  return value === undefined
    ? undefined
    : { head: decodeVersionedJson(headKey(prefix), value.bytes, headSchema, 2), version: value.version };
}

/** Whether two heads name the same checkpoints. */
export function sameCheckpoints(a: Head | undefined, b: Head | undefined): boolean {
  return JSON.stringify(a?.checkpoints) === JSON.stringify(b?.checkpoints);
}

/** Where the head lies. */
export function headKey(prefix: string): string {
  return `${prefix}/head.json`;
}

/** The bytes of a head; equal heads make equal bytes. */
export function encodeHead({ version, fence, holder, claim, checkpoints, outcome }: Head): Uint8Array {
  return Buffer.from(`${JSON.stringify({ version, fence, holder, claim, checkpoints, outcome }, null, 1)}\n`);
}

const common = {
  holder: z.string(),
  claim: z.string(),
  checkpoints: z.array(z.object({ manifestKey: z.string(), sha256: z.string(), step: z.int().nonnegative() })),
  outcome: z.json(),
};

const headSchema: z.ZodType<Head> = z.discriminatedUnion('version', [
  z.object({ version: z.literal(2), fence: z.int().nonnegative(), ...common }),
  // Version 1 called the fence an epoch.
  z
    .object({ version: z.literal(1), epoch: z.int().nonnegative(), ...common })
    .transform(({ epoch, ...rest }): Head => ({ ...rest, version: 2, fence: epoch })),
]);
