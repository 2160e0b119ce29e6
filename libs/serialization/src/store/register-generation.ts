import { z } from 'zod';

import { sha256Of } from '../sha256.js';
import { RegisterDamaged } from './object-store.js';

/** A value of a register as it is stored: equal values that were set one after the other have other bytes. */
export interface Generation {
  /** Unique to the setting of it. */
  readonly id: string;
  /** Id of the generation before, null for the first. */
  readonly predecessor: string | null;
  /** Ids of generations before that one, newest first; some of them or none. */
  readonly earlier?: readonly string[] | undefined;
  readonly bytes: Uint8Array;
}

/** What stands before the bytes of a value, in bytes. Earlier builds wrote fewer. */
export const PREAMBLE_BYTES = 512;
/** How many earlier ids have room in it. */
export const MOST_EARLIER = 7;

/** The stored bytes of a generation: the preamble, and the value. */
export function encodeGeneration({ id, predecessor, earlier, bytes }: Generation): [Uint8Array, Uint8Array] {
  const preamble = JSON.stringify({ id, predecessor, earlier, sha256: sha256Of(bytes) });
  return [Buffer.from(`${preamble.padEnd(PREAMBLE_BYTES - 1)}\n`), bytes];
}

/** Reads a generation; `what` names it in errors. @throws RegisterDamaged */
export function decodeGeneration(what: string, content: Buffer): Generation {
  const lineEnd = content.indexOf('\n');
  const bytes = new Uint8Array(content.subarray(lineEnd + 1));
  const preamble = parsePreamble(content.toString('utf8', 0, Math.max(lineEnd, 0)));
  if (preamble?.sha256 === sha256Of(bytes)) return { ...preamble, bytes };
  // Falling back to the generation before would undo a lease, so a person has to decide.
  throw new RegisterDamaged(`${what} is damaged: its checksum does not fit; restore it from a backup`);
}

function parsePreamble(line: string): z.infer<typeof preambleSchema> | undefined {
  try {
    return preambleSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

const preambleSchema = z.object({
  id: z.string(),
  predecessor: z.string().nullable(),
  earlier: z.array(z.string()).optional(),
  sha256: z.string(),
});
