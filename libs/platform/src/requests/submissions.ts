import type { Kind } from '@longrun/contracts';
import { canonicalJson } from '@longrun/serialization';
import type { Transaction } from 'kysely';

import type { Lives } from '../life/lives.js';
import type { LifeWriter } from '../life/writer.js';
import { run } from '../record/bulk.js';
import { sha256Of } from '../record/hash.js';
import type { Tables } from '../record/tables.js';
import { refused, type RequestRefused } from './request-refused.js';

/** How a request is submitted. */
export interface SubmitOptions {
  /**
   * The same key with the same spec answers what was made the first time; with another spec it is refused, and once that was deleted.
   */
  readonly idempotencyKey?: string | undefined;
}

/** A request that is new: nothing was made under its key. */
export interface Submission<Body> {
  readonly body: Body;
  /** Of what was asked for: {@link sha256OfJson}. */
  readonly sha256: string;
}

/** What a request has made, or one before it that meant the same. */
export interface Made<View> {
  readonly id: string;
  /** As users see it; undefined when a request before has made it. */
  readonly view: View | undefined;
}

/**
 * Submits requests, each once, in a transaction with its idempotency key, however often and however simultaneously it comes.
 * Those that come while a transaction is on its way gather, and share the next one: of many clients at once nobody waits for a
 * transaction of each of the others.
 */
export class Submissions<Body, View> {
  readonly #writer: LifeWriter;
  readonly #kind: Kind;
  readonly #make: Make<Body, View>;
  readonly #requestIn: (body: Body) => unknown;
  #waiting: Waiting<Body, View>[] = [];
  #writing = false;

  /**
   * @param make makes what is submitted, or finds what equal requests have made: for each, in the same order, what was made or
   * why it is refused or cannot be, which changes nothing in the record. What it throws fails all of them.
   * @param requestIn what of a body the user has asked for: two requests are equal when it is. Default: all of it
   */
  constructor(
    writer: LifeWriter,
    kind: Kind,
    make: Make<Body, View>,
    requestIn: (body: Body) => unknown = (body) => body,
  ) {
    this.#requestIn = requestIn;
    this.#writer = writer;
    this.#kind = kind;
    this.#make = make;
  }

  /** Refused: what `make` refuses, and a key that was used for another body. */
  async submit(body: Body, { idempotencyKey }: SubmitOptions): Promise<Made<View>> {
    const text = canonicalJson(this.#requestIn(body));
    const request = { body, sha256: sha256Of(text), key: idempotencyKey, characters: text.length };
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject, repetitions: [] });
      if (!this.#writing) void this.#write();
    });
  }

  /** Until nobody waits. Never rejects: what goes wrong is told to whom it concerns. */
  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const together = this.#nextBatch();
      try {
        settle(together, await this.#once(together));
      } catch (error) {
        if (isOfOneRequest(error)) await Promise.all(together.map((one) => this.#alone(one)));
        else for (const one of together) fail(one, error);
      }
    }
    this.#writing = false;
  }

  /**
   * The next ones in order of arrival. One that repeats another, key and body, is answered with it; one with its key and another body waits, to
   * find what it has made.
   */
  #nextBatch(): readonly Waiting<Body, View>[] {
    const together: Waiting<Body, View>[] = [];
    const later: Waiting<Body, View>[] = [];
    const byKey = new Map<string, Waiting<Body, View>>();
    let characters = 0;
    for (const one of this.#waiting) {
      const { key, sha256, characters: size } = one.request;
      const other = key === undefined ? undefined : byKey.get(key);
      const isFull = together.length >= MAX_TOGETHER || (together.length > 0 && characters + size > MAX_CHARACTERS);
      if (other?.request.sha256 === sha256) other.repetitions.push(one);
      else if (isFull || other !== undefined) later.push(one);
      else {
        together.push(one);
        characters += size;
        if (key !== undefined) byKey.set(key, one);
      }
    }
    this.#waiting = later;
    return together;
  }

  /** By itself, once more: another one may be why they failed together. */
  async #alone(one: Waiting<Body, View>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        settle([one], await this.#once([one]));
        return;
      } catch (error) {
        // Two requests with one key or for one name at once: the second look finds what the other has made.
        if (isDuplicate(error) && attempt < 3) continue;
        fail(one, error);
        return;
      }
    }
  }

  async #once(waiting: readonly Waiting<Body, View>[]): Promise<readonly (Made<View> | Error)[]> {
    const requests = waiting.map(({ request }) => request);
    return this.#writer.write(async (lives) => {
      const before = await findByKeys(lives.transaction, this.#kind, requests);
      const fresh = requests.filter((_, index) => before[index] === undefined);
      const made = fresh.length === 0 ? [] : await this.#make(lives, fresh);
      const results = new Map(fresh.map((request, index) => [request, made[index]]));
      await rememberKeys(lives.transaction, this.#kind, results);
      return requests.map((request, index) => {
        const result = before[index] ?? results.get(request);
        if (result === undefined) throw new Error(`Nothing was said of a submitted ${this.#kind}`);
        return result;
      });
    });
  }
}

/** See the constructor of {@link Submissions}. */
export type Make<Body, View> = (
  lives: Lives,
  submissions: readonly Submission<Body>[],
) => Promise<readonly (Made<View> | Error)[]>;

interface Keyed<Body> extends Submission<Body> {
  readonly key: string | undefined;
  /** Length of its JSON. */
  readonly characters: number;
}

interface Waiting<Body, View> {
  readonly request: Keyed<Body>;
  readonly resolve: (made: Made<View>) => void;
  readonly reject: (error: unknown) => void;
  /** Requests with the same key and body. */
  readonly repetitions: Waiting<Body, View>[];
}

/** More would make all of them wait for the slowest. */
const MAX_TOGETHER = 64;
const MAX_CHARACTERS = 2_000_000;

function settle<Body, View>(waiting: readonly Waiting<Body, View>[], results: readonly (Made<View> | Error)[]): void {
  for (const [index, one] of waiting.entries()) {
    const result = results[index];
    if (result === undefined || result instanceof Error) {
      fail(one, result);
      continue;
    }
    one.resolve(result);
    for (const { resolve } of one.repetitions) resolve({ id: result.id, view: undefined });
  }
}

function fail({ reject, repetitions }: Waiting<unknown, never>, error: unknown): void {
  reject(error);
  for (const repetition of repetitions) repetition.reject(error);
}

/** For each request what its key has made before, or the refusal of a key with another body; undefined for one that is new. */
async function findByKeys(
  transaction: Transaction<Tables>,
  kind: Kind,
  requests: readonly Keyed<unknown>[],
): Promise<readonly (Made<never> | RequestRefused | undefined)[]> {
  const keys = requests.flatMap(({ key }) => key ?? []);
  if (keys.length === 0) return requests.map(() => undefined);
  const { rows } = await run<{ key: string; id: string; requestSha256: string; deletedAt: Date | null }>(
    transaction,
    KEYS_TEXT,
    kind,
    keys,
  );
  const found = new Map(rows.map((row) => [row.key, row]));
  return requests.map(({ key, sha256: sha }) => {
    const row = key === undefined ? undefined : found.get(key);
    if (key === undefined || row === undefined) return undefined;
    if (row.requestSha256 === sha) {
      if (row.deletedAt === null) return { id: row.id, view: undefined };
      const facts = { key, by: row.id, at: row.deletedAt.toISOString() };
      return refused('conflict', [{ path: [], parameter: 'idempotencyKey', code: 'made-deleted', facts }]);
    }
    const facts = { key, by: row.id };
    return refused('conflict', [{ path: [], parameter: 'idempotencyKey', code: 'key-reused', facts }]);
  });
}

const KEYS_TEXT = `select k.key, k.id, k.request_sha256, lives.deleted_at
  from idempotency_keys k join lives on lives.id = k.id where k.kind = $1 and k.key = any($2::text[])`;

/** Remembers what keys have made. Fails on a key's uniqueness when another request was faster. */
async function rememberKeys(
  transaction: Transaction<Tables>,
  kind: Kind,
  results: ReadonlyMap<Keyed<unknown>, Made<unknown> | Error | undefined>,
): Promise<void> {
  const at = new Date();
  const rows = [...results].flatMap(([{ key, sha256: sha }, made]) =>
    key === undefined || made === undefined || made instanceof Error
      ? []
      : [{ kind, key, requestSha256: sha, id: made.id, at }],
  );
  if (rows.length > 0) await transaction.insertInto('idempotencyKeys').values(rows).execute();
}

/** True when the database refused what is in a row, or a second row with a unique value: a single request is to blame, and nothing was written. */
function isOfOneRequest(error: unknown): boolean {
  return /^(?:22|23|54)/.test(sqlState(error));
}

/** True when the database refused a row because of a unique index: somebody else made it meanwhile. */
function isDuplicate(error: unknown): boolean {
  return sqlState(error) === '23505';
}

function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
