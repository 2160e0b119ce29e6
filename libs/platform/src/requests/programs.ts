import {
  type FaultOf,
  isHashPrefix,
  type ProgramList,
  programKey,
  programReference,
  type ProgramView,
  shortProgram,
} from '@longrun/contracts';
import type { ObjectStore } from '@longrun/serialization';
import { type Kysely, sql, type Transaction } from 'kysely';

import { librariesOf } from '../programs/header.js';
import { audit, USER } from '../record/audit.js';
import { sha256Of } from '../record/hash.js';
import type { PlatformRecord } from '../record/record.js';
import type { ProgramRow, Tables } from '../record/tables.js';
import { AskedStore } from './asked-store.js';
import { nameUnknown } from './names.js';
import { type PageOptions, readPage } from './pages.js';
import { ProgramBroken, type ProgramFacts, type ProgramHost, type ProgramModule } from './program-host.js';
import { refused } from './request-refused.js';

export interface ProgramsOptions {
  readonly record: PlatformRecord;
  readonly store: ObjectStore;
  readonly host: ProgramHost;
}

/** What is published. */
export interface Publication {
  /** As `ProgramName` says. */
  readonly name: string;
  /** What the module is said to have. */
  readonly sha256: string;
  readonly module: Uint8Array;
}

/** A program, and whether this request was the first to publish that module under that name. */
export interface PublishedProgram {
  readonly program: ProgramView;
  readonly created: boolean;
}

/** What a spec names: a program, or what is wrong with the reference. */
export type Resolved =
  | { readonly ok: true; readonly program: ProgramRow }
  | { readonly ok: false; readonly fault: FaultOf<'invalid-request'> };

/** What users do with programs. Every method that refuses throws `RequestRefused`. */
export class Programs {
  readonly #options: ProgramsOptions;

  constructor(options: ProgramsOptions) {
    this.#options = options;
  }

  /**
   * Publishes a module under a name, of which it is the newest then. Experiments that name it and were submitted before there were modules
   * get this one. Refused, and nothing is kept under the name: bytes that are others than was said, a module that does not say what it takes.
   *
   * @throws ObjectsUnreachable
   */
  async publish({ name, sha256, module }: Publication): Promise<PublishedProgram> {
    const { record, store } = this.#options;
    const found = sha256Of(module);
    if (found !== sha256)
      throw refused('invalid-request', [{ path: [], code: 'module-altered', facts: { said: sha256, found } }]);
    const facts = (await this.#known(sha256)) ?? (await this.#inspected({ name, sha256, read: async () => module }));
    // Also over one that is there: it may be damaged.
    await new AskedStore(store).put(programKey(sha256), module, { expected: { sha256 } });
    const row = {
      name,
      sha256,
      sizeBytes: module.byteLength,
      description: facts.description,
      params: JSON.stringify(facts.params),
      libraries: JSON.stringify(librariesOf(module)),
      publishedAt: new Date(),
    };
    return await record.transact(async (transaction) => {
      const before = await newestOf(transaction, name);
      const { created, ...program } = await transaction
        .insertInto('programs')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['name', 'sha256']).doUpdateSet({
            place: sql<number>`nextval('programs_place_seq')`,
            publishedAt: row.publishedAt,
          }),
        )
        .returningAll()
        .returning(sql<boolean>`xmax = 0`.as('created'))
        .executeTakeFirstOrThrow();
      if (before?.sha256 !== sha256) {
        const was = before === undefined ? null : { sha256: before.sha256 };
        await audit(transaction, { actor: USER, action: 'publish', subject: name, before: was, after: { sha256 } });
      }
      await adopt(transaction, program);
      return { program: viewOf(program), created };
    });
  }

  /** A program by its name, or by its name and the beginning of its SHA-256. Refused when there is none, or there are several. */
  async get(reference: string): Promise<ProgramView> {
    const resolved = await this.resolve(reference);
    if (resolved.ok) return viewOf(resolved.program);
    const { fault } = resolved;
    const place = { path: [], parameter: 'program' };
    switch (fault.code) {
      case 'program-hash-malformed':
        throw refused('invalid-parameter', [{ ...fault, ...place }]);
      case 'program-hash-ambiguous':
        throw refused('invalid-parameter', [{ ...fault, ...place }]);
      default:
        throw refused('not-found', [{ ...place, code: 'not-found', facts: { what: 'program', id: reference } }]);
    }
  }

  /** One page of programs, last published first: of each name the newest, or all that were published under one. */
  async list({ name, ...page }: PageOptions & { readonly name?: string | undefined } = {}): Promise<ProgramList> {
    const all = this.#options.record.db.selectFrom('programs').selectAll();
    const wanted = name === undefined ? all.where(isNewest) : all.where('name', '=', name);
    const rowsBelow = (place: number, limit: number): Promise<ProgramRow[]> =>
      wanted.where('place', '<', place).orderBy('place', 'desc').limit(limit).execute();
    return readPage(page, rowsBelow, viewOf);
  }

  /** @internal The program that a spec names. */
  async resolve(reference: string): Promise<Resolved> {
    const { db } = this.#options.record;
    const { name, prefix } = programReference(reference);
    const newest = await newestOf(db, name);
    if (newest === undefined) {
      const names = await db.selectFrom('programs').select('name').distinct().orderBy('name').execute();
      const fault = nameUnknown(
        'program',
        name,
        names.map((row) => row.name),
      );
      return { ok: false, fault };
    }
    if (prefix === undefined) return { ok: true, program: newest };
    const path = ['program'];
    if (!isHashPrefix(prefix))
      return { ok: false, fault: { path, code: 'program-hash-malformed', facts: { name, prefix } } };
    const ofName = db.selectFrom('programs').selectAll().where('name', '=', name).orderBy('place', 'desc').limit(5);
    const [program, ...others] = await ofName.where('sha256', 'like', `${prefix}%`).execute();
    if (program === undefined) {
      const known = (await ofName.execute()).map(referenceTo);
      return { ok: false, fault: { path, code: 'program-hash-unknown', facts: { name, prefix, known } } };
    }
    if (others.length === 0) return { ok: true, program };
    const candidates = [program, ...others].map((one) => `${name}@${one.sha256}`);
    return { ok: false, fault: { path, code: 'program-hash-ambiguous', facts: { name, prefix, candidates } } };
  }

  /** @internal The module of a program that is published. */
  moduleOf({ name, sha256 }: Pick<ProgramRow, 'name' | 'sha256'>): ProgramModule {
    const { store } = this.#options;
    const key = programKey(sha256);
    const damaged = (says: string) =>
      refused('unreadable', [
        { path: ['program'], code: 'program-damaged', facts: { program: shortProgram(name, sha256), says } },
      ]);
    return {
      name,
      sha256,
      read: async () => {
        const module = await new AskedStore(store).get(key);
        if (module === undefined) throw damaged(`there is no object ${key}`);
        const found = sha256Of(module);
        if (found !== sha256) throw damaged(`object ${key} has SHA-256 ${found}`);
        return module;
      },
    };
  }

  /** What a module that is published already under some name has said of itself. */
  async #known(sha256: string): Promise<ProgramFacts | undefined> {
    const { db } = this.#options.record;
    return await db.selectFrom('programs').selectAll().where('sha256', '=', sha256).limit(1).executeTakeFirst();
  }

  async #inspected(program: ProgramModule): Promise<ProgramFacts> {
    const broken = (says: string) =>
      refused('invalid-request', [{ path: [], code: 'module-broken', facts: { program: program.name, says } }]);
    try {
      const facts = await this.#options.host.inspect(program);
      const characters = JSON.stringify(facts.params).length;
      if (characters <= MOST_SCHEMA_CHARACTERS) return facts;
      throw broken(
        `the schema of its parameters has ${characters} characters as JSON, and may have ${MOST_SCHEMA_CHARACTERS}`,
      );
    } catch (error) {
      throw error instanceof ProgramBroken ? broken(error.message) : error;
    }
  }
}

/** A page of programs has two hundred of them. */
const MOST_SCHEMA_CHARACTERS = 128 * 1024;

const isNewest = sql<boolean>`not exists (
  select from programs newer where newer.name = programs.name and newer.place > programs.place)`;

async function newestOf(db: Kysely<Tables>, name: string): Promise<ProgramRow | undefined> {
  return await db
    .selectFrom('programs')
    .selectAll()
    .where('name', '=', name)
    .orderBy('place', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** What was submitted before there were modules, and has not ended, runs what is first published under the name. */
async function adopt(transaction: Transaction<Tables>, { name, sha256 }: ProgramRow): Promise<void> {
  const { numAffectedRows = 0n } = await sql`update experiments set program_sha256 = ${sha256}
    from lives where lives.id = experiments.id and lives.kind = 'experiment' and lives.phase in ('queued', 'running')
      and experiments.program_sha256 is null and experiments.spec ->> 'program' = ${name}`.execute(transaction);
  if (numAffectedRows > 0n) await sql`select pg_notify('longrun_moved', '')`.execute(transaction);
}

function viewOf({ name, sha256, sizeBytes, description, params, libraries, publishedAt }: ProgramRow): ProgramView {
  return { name, sha256, sizeBytes, description, params, libraries, publishedAt: publishedAt.toISOString() };
}

function referenceTo({ name, sha256 }: ProgramRow): string {
  return shortProgram(name, sha256);
}
