import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isTerminal, LiveEvent } from '@longrun/contracts';
import { freePort, PostgresServer, ProcessUnderTest, RedisServer, until } from '@longrun/platform/testing';
import { openEvents } from './events-of.js';
import { programOf } from './service.js';

const entry = fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url));

/** Which process leads, as the record says. */
export interface Leader {
  readonly number: number;
  readonly pid: number;
}

/** What only a leader may write was written by a process that was none. */
export interface Trespass {
  /** As {@link Replica.name}. */
  readonly by: string;
  /** Of the experiment. */
  readonly id: string | null;
  readonly what: string;
  readonly number: number;
}

/** Processes of the API with one PostgreSQL, one Redis, one object store and one token, each with a state folder of its own. */
export class Replicas {
  readonly token = 'the-token-of-all-replicas';
  readonly redis: RedisServer;
  readonly objectsUrl: string;
  readonly #postgres: PostgresServer;
  readonly #record: Awaited<ReturnType<PostgresServer['connect']>>;
  readonly #folder: string;
  readonly #started: Replica[] = [];

  private constructor(parts: {
    redis: RedisServer;
    postgres: PostgresServer;
    record: Awaited<ReturnType<PostgresServer['connect']>>;
    folder: string;
  }) {
    this.redis = parts.redis;
    this.#postgres = parts.postgres;
    this.#record = parts.record;
    this.#folder = parts.folder;
    this.objectsUrl = pathToFileURL(join(parts.folder, 'objects')).href;
  }

  static async begin(): Promise<Replicas> {
    const folder = await mkdtemp(join(tmpdir(), 'longrun-replicas-'));
    const [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
    return new Replicas({ redis, postgres, record: await postgres.connect(), folder });
  }

  /** Starts a process and waits until it listens. One of the same state has the address of the one before. */
  async start(state: string, environment: Readonly<Record<string, string>> = {}): Promise<Replica> {
    const before = this.#started.filter((replica) => replica.state === state);
    const name = `${state}-${before.length + 1}`;
    const port = before[0]?.port ?? (await freePort());
    const replica = new Replica({ state, name, port, token: this.token }, this.#spawn(state, name, port, environment));
    this.#started.push(replica);
    const ended = replica.process.exited.then((how) => {
      throw new Error(`${name} ended with ${how}:\n${replica.process.output}`);
    });
    ended.catch(() => undefined);
    const listens = () => replica.process.lines.some((line) => line.startsWith('api listening at '));
    await Promise.race([until(listens, () => replica.process.output), ended]);
    return replica;
  }

  /** Starts a process that is to be refused, and resolves with what it printed. */
  async refused(state: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
    const refused = this.#spawn(state, state, await freePort(), environment);
    const code = await refused.exited;
    if (code !== 1) throw new Error(`It ended with ${code}:\n${refused.output}`);
    return refused.output;
  }

  /** Undefined while there has been none. */
  async leader(): Promise<Leader | undefined> {
    const { rows } = await this.#record.query<{ number: string; holder: string | null }>(
      'select number, holder from controller',
    );
    const pid = /-(\d+)-\w+$/.exec(rows[0]?.holder ?? '')?.[1];
    return pid === undefined ? undefined : { number: Number(rows[0]?.number), pid: Number(pid) };
  }

  /** Waits until a process leads that is not the one before. */
  async leaderAfter(before: Leader | undefined): Promise<Leader> {
    let leader: Leader | undefined;
    await until(
      async () => {
        leader = await this.leader();
        return leader !== undefined && leader.number > (before?.number ?? 0);
      },
      () => this.#started.map(({ name, process: { output } }) => `${name}:\n${output}`).join('\n---\n'),
    );
    if (leader === undefined) throw new Error('Nobody leads');
    return leader;
  }

  /** From now on PostgreSQL notes who changes attempts, stores log rows and says up to where events were taken. */
  async noteWrites(): Promise<void> {
    await this.#record.query(`
      create table written (by text, holder text, number bigint, what text, id text);
      create function note_write() returns trigger language plpgsql as $$ begin
        insert into written select current_setting('application_name'), holder, number, tg_op || ' ' || tg_table_name,
          case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end ->> 'id' from controller;
        return null;
      end $$;
      create trigger note after insert or update or delete on attempts for each row execute function note_write();
      create trigger note after insert or update or delete on log_chunks for each row execute function note_write();
      create trigger note after insert or update or delete on ingest_cursors for each row execute function note_write();`);
  }

  /** All such writes of processes that did not lead, but those to an experiment that a request may have changed. */
  async trespasses(byRequest: string): Promise<Trespass[]> {
    const { rows } = await this.#record.query<{
      by: string;
      holder: string;
      number: string;
      what: string;
      id: string | null;
    }>('select * from written');
    if (rows.length === 0) throw new Error('No write was noted');
    const pids = new Map(this.#started.map(({ name, pid }) => [name, pid]));
    return rows
      .filter(({ by, holder, id }) => id !== byRequest && !holder.includes(`-${pids.get(by)}-`))
      .map(({ by, what, number, id }) => ({ by, what, id, number: Number(number) }));
  }

  /**
   * Freezes a leader in the middle of a transaction that takes in what was said of an experiment: it holds its locks, and
   * has a statement under way.
   */
  async freezeInTransaction(leader: Replica, experiment: string): Promise<void> {
    const locker = await this.#postgres.connect();
    await locker.query('begin');
    await locker.query('select from lives where id = $1 for update', [experiment]);
    await until(
      async () => {
        const { rows } = await this.#record.query(
          `select from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`,
          [leader.name],
        );
        return rows.length > 0;
      },
      () => `nobody waits for ${experiment}`,
    );
    leader.process.signal('SIGSTOP');
    await locker.query('commit');
    await locker.end();
  }

  /** No process learns by its sign of life that another leads, as long as `work` takes. */
  async withoutBeats(work: () => Promise<void>): Promise<void> {
    const locker = await this.#postgres.connect();
    await locker.query('begin');
    await locker.query('lock table controller_beats in exclusive mode');
    try {
      await work();
    } finally {
      await locker.query('commit');
      await locker.end();
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#started.map((replica) => replica.process.end()));
    await this.#record.end();
    await Promise.all([this.redis.stop(), this.#postgres.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  #spawn(state: string, name: string, port: number, environment: Readonly<Record<string, string>>): ProcessUnderTest {
    return new ProcessUnderTest(entry, {
      LONGRUN_STATE: join(this.#folder, state),
      DATABASE_URL: `${this.#postgres.databaseUrl}?application_name=${name}`,
      REDIS_URL: this.redis.url,
      LONGRUN_OBJECTS: this.objectsUrl,
      LONGRUN_TOKEN: this.token,
      LONGRUN_PORT: String(port),
      LONGRUN_HEARTBEAT_MS: '200',
      // A busy machine must not lose a worker for us.
      LONGRUN_WORKER_LOST_MS: '60000',
      LONGRUN_PROBE_TIMEOUT_MS: '20000',
      ...environment,
    });
  }
}

/** One process of the API. */
export class Replica {
  readonly state: string;
  /** Of this start; its sessions have it in PostgreSQL. */
  readonly name: string;
  readonly port: number;
  readonly url: string;
  readonly token: string;
  readonly process: ProcessUnderTest;

  constructor(
    { state, name, port, token }: { state: string; name: string; port: number; token: string },
    started: ProcessUnderTest,
  ) {
    this.state = state;
    this.name = name;
    this.port = port;
    this.token = token;
    this.url = `http://127.0.0.1:${port}`;
    this.process = started;
  }

  get pid(): number {
    return this.process.pid;
  }

  said(words: string): boolean {
    return this.process.lines.some((line) => line.includes(words));
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    return await this.#ask(path, {});
  }

  async post(path: string, body: object = {}): Promise<{ readonly status: number; readonly body: unknown }> {
    return await this.#ask(path, { method: 'POST', body: JSON.stringify(body) });
  }

  /** Publishes a program of the tests. */
  async publish(name: string): Promise<void> {
    const { sha256, module } = await programOf(name);
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'text/javascript' };
    const url = new URL(`/v1/programs/${sha256}?name=${name}`, this.url);
    const answer = await fetch(url, { method: 'PUT', headers, body: Uint8Array.from(module) });
    if (!answer.ok) throw new Error(`${url.href} answered ${answer.status}: ${await answer.text()}`);
  }

  async #ask(path: string, init: RequestInit): Promise<{ readonly status: number; readonly body: unknown }> {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    const answer = await fetch(new URL(path, this.url), { ...init, headers });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') ?? false;
    return { status: answer.status, body: isJson ? (JSON.parse(text) as unknown) : text };
  }
}

/** Follows an experiment at one address, and goes on from the last event seen whenever the connection breaks. */
export class Watcher {
  /** Events that have an id, as they came. */
  readonly events: LiveEvent[] = [];
  /** How often the connection broke. */
  breaks = 0;
  /** Resolves when the experiment has ended. */
  readonly ended: Promise<void>;
  readonly at: { readonly url: string; readonly token: string };
  readonly id: string;

  constructor(at: { readonly url: string; readonly token: string }, id: string) {
    this.at = at;
    this.id = id;
    this.ended = this.#watch();
  }

  get rows(): number[] {
    return this.events.flatMap((event) => (event.type === 'log_row' ? event.data.step : []));
  }

  get statuses(): string[] {
    return this.events.flatMap((event) => (event.type === 'status' ? event.data.status : []));
  }

  async #watch(): Promise<void> {
    for (;;) {
      try {
        if (await this.#connect()) return;
      } catch {
        // The process is gone, or is not there yet.
      }
      this.breaks += 1;
      await pause(50);
    }
  }

  async #connect(): Promise<boolean> {
    const last = this.events.at(-1)?.id;
    const headers = last == null ? {} : { 'last-event-id': String(last) };
    const { frames, leave } = await openEvents(this.at, `/v1/experiments/${this.id}/events`, headers);
    try {
      for await (const { id, event, data } of frames) {
        if (event === undefined || id === undefined) continue;
        const live = LiveEvent.parse(data);
        this.events.push(live);
        if (live.type === 'status' && isTerminal(live.data.status)) return true;
      }
      return false;
    } finally {
      leave();
    }
  }
}
