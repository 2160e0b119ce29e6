import { setTimeout as pause } from 'node:timers/promises';
import { DatasetView, ExperimentView, isTerminal, LogPage } from '@longrun/contracts';
import { isRunning, postgresPrograms, until } from '@longrun/platform/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HandWorker, type HeldJob } from './hand-worker.js';
import { type Replica, Replicas, Watcher } from './replicas.js';

describe.skipIf(postgresPrograms() === undefined)('replicas, which need PostgreSQL to be installed', () => {
  let replicas: Replicas;
  beforeAll(async () => {
    replicas = await Replicas.begin();
  });
  afterAll(async () => {
    await replicas.end();
  });

  test('of two that watch and work one leads; killed, and frozen in the middle of a transaction, it is followed: nothing is lost or done twice', async () => {
    const [one, two] = await Promise.all([replicas.start('one'), replicas.start('two')]);
    await replicas.noteWrites();
    await publishDataset(replicas, one);
    const first = await replicas.leaderAfter(undefined);
    const [killed, survivor] = first.pid === one.pid ? [one, two] : [two, one];
    expect([killed.pid, survivor.pid]).toContain(first.pid);

    const trainers = await Trainers.start(replicas);
    const ids: string[] = [];
    for (const replica of [one, two, one, two, one]) ids.push(await submit(replica));
    const [e1, e2, e3, e4, unlucky] = ids as [string, string, string, string, string];
    const watchers = ids.flatMap((id) => [new Watcher(killed, id), new Watcher(survivor, id)]);
    const seen = async (id: string, rows: number, at: readonly Replica[] = [killed, survivor]): Promise<void> => {
      const these = watchers.filter((watcher) => watcher.id === id && at.includes(watcher.at as Replica));
      await until(() => these.every((watcher) => watcher.rows.length >= rows));
    };
    await seen(e1, 20);
    await seen(e2, 20);

    // The leader dies. One run ends, the next begins and one that waits is cancelled while nobody leads.
    killed.process.signal('SIGKILL');
    expect(await killed.process.exited).toBe('SIGKILL');
    trainers.let(e1);
    expect((await survivor.post(`/v1/experiments/${unlucky}/cancel`)).status).toBe(202);
    const second = await replicas.leaderAfter(first);
    expect(second).toEqual({ number: first.number + 1, pid: survivor.pid });
    const back = await replicas.start(killed.state);
    await submitAndWatch(back);
    await seen(e1, 20);
    await seen(e3, 20);

    // The next leader freezes, and holds locks. One run ends meanwhile.
    await replicas.freezeInTransaction(survivor, e2);
    trainers.let(e2);
    const third = await replicas.leaderAfter(second);
    expect(third).toEqual({ number: second.number + 1, pid: back.pid });
    expect(isRunning(survivor.pid)).toBe(true);
    await until(() => watchers.some((watcher) => watcher.id === e2 && watcher.statuses.some(isEnd)));
    await until(() => trainers.tickets.some(({ id }) => id === e4));

    // It wakes up while its successor stands still in turn, and both believe that they lead.
    await replicas.withoutBeats(async () => {
      back.process.signal('SIGSTOP');
      survivor.process.signal('SIGCONT');
      const over = `Events cannot be taken in: NotLeader: Term ${second.number} is over`;
      await until(
        async () => survivor.said(over) || (await replicas.trespasses(unlucky)).length > 0,
        () => survivor.process.output,
      );
      back.process.signal('SIGCONT');
    });
    expect(await replicas.trespasses(unlucky)).toEqual([]);
    await until(() => survivor.said('Another process leads now; this one goes on without leading'));

    trainers.letAll();
    await Promise.all(watchers.map(({ ended }) => ended));
    expect(await replicas.trespasses(unlucky)).toEqual([]);
    expect(watchers.filter(({ at, breaks }) => at === killed && breaks > 0).length).toBeGreaterThan(0);
    for (const id of ids) {
      const cancelled = id === unlucky;
      const { tickets } = trainers;
      expect(tickets.filter((ticket) => ticket.id === id)).toEqual(cancelled ? [] : [{ id, fence: 1 }]);
      const steps = Array.from({ length: trainers.stepsOf(id) }, (_, index) => index + 1);
      const whole = [new Watcher(back, id), new Watcher(survivor, id)];
      await Promise.all(whole.map(({ ended }) => ended));
      const [all] = whole;
      const eventIds = all?.events.map((event) => event.id ?? 0) ?? [];
      expect(eventIds).toEqual(eventIds.map((_, index) => index + 1));
      expect(all?.rows).toEqual(steps);
      expect(all?.statuses.filter(isEnd)).toEqual([cancelled ? 'cancelled' : 'succeeded']);
      for (const watcher of [...whole, ...watchers.filter((each) => each.id === id)])
        expect(watcher.events).toEqual(all?.events);
      const experiment = ExperimentView.parse((await back.get(`/v1/experiments/${id}`)).body);
      expect(experiment).toMatchObject(
        cancelled
          ? { status: 'cancelled', startedAt: null }
          : { status: 'succeeded', failures: 0, preemptions: 0, attempts: [{ fence: 1, reason: 'succeeded' }] },
      );
      const log = LogPage.parse((await survivor.get(`/v1/experiments/${id}/log?limit=5000`)).body);
      expect(log.items.map(({ step }) => step)).toEqual(steps);
    }
    await trainers.stop();
    await Promise.all([back, survivor].map(({ process }) => process.end()));

    async function submitAndWatch(replica: Replica): Promise<void> {
      const id = await submit(replica);
      ids.push(id);
      watchers.push(new Watcher(replica, id), new Watcher(survivor, id));
    }
  });

  test('a process that only serves never leads; one that only leads serves its health alone', async () => {
    const before = await replicas.leader();
    const api = await replicas.start('api', { LONGRUN_ROLE: 'api' });
    // Nobody leads: requests are taken, and readiness says what is missing.
    await expect
      .poll(() => api.get('/health/ready'))
      .toMatchObject({
        status: 503,
        body: { errors: expect.arrayContaining([expect.objectContaining({ pointer: 'controller' })]) },
      });
    const id = await submit(api);
    expect(await replicas.leader()).toEqual(before);

    const controller = await replicas.start('controller', { LONGRUN_ROLE: 'controller' });
    const leader = await replicas.leaderAfter(before);
    expect(leader.pid).toBe(controller.pid);
    await until(async () => (await api.get('/health/ready')).status === 200);
    expect((await controller.get('/health/live')).status).toBe(200);
    await until(async () => (await controller.get('/health/ready')).status === 200);
    for (const path of [
      `/v1/experiments/${id}`,
      '/v1/experiments',
      '/v1/programs',
      '/v1/workers',
      '/openapi.json',
      '/',
    ])
      expect({ path, status: (await controller.get(path)).status }).toEqual({ path, status: 404 });
    const trainers = await Trainers.start(replicas);
    trainers.letAll();
    await new Watcher(api, id).ended;
    await trainers.stop();

    controller.process.signal('SIGKILL');
    await until(async () => (await api.get('/health/ready')).status === 503);
    expect(await replicas.leader()).toEqual(leader);
    await api.process.end();
  });

  test('a second process on one state folder is refused, and so is a role that needs a PostgreSQL where there is none', async () => {
    const first = await replicas.start('shared');
    expect(await replicas.refused('shared')).toContain(
      `in use by process ${first.pid}, which listens at ${first.url}; stop it, or give another folder`,
    );
    for (const role of ['api', 'controller'])
      expect(await replicas.refused('embedded', { LONGRUN_ROLE: role, DATABASE_URL: '' })).toContain(
        `LONGRUN_ROLE: ${role} is for several processes on one record, and the embedded one has room for one; ` +
          'set DATABASE_URL, or leave LONGRUN_ROLE out',
      );
    await first.process.end();
  });
});

function isEnd(status: string): boolean {
  return isTerminal(ExperimentView.shape.status.parse(status));
}

async function submit(replica: Replica): Promise<string> {
  const answer = await replica.post('/v1/experiments', {
    program: 'layers',
    params: { dims: [784, 10], activations: ['softmax'] },
    dataset: 'fashion',
  });
  expect(answer.status).toBe(201);
  return ExperimentView.parse(answer.body).id;
}

async function publishDataset(replicas: Replicas, replica: Replica): Promise<void> {
  await replica.publish('layers');
  const converter = await HandWorker.start(replicas, 'dataset');
  await replica.post('/v1/datasets', { name: 'fashion', converter: 'fashion-mnist' });
  (await converter.job()).end('succeeded', {
    fileKey: `datasets/files/${'b'.repeat(64)}.hdf5`,
    sha256: 'b'.repeat(64),
    sizeBytes: 7,
    description: { sources: [], splits: { train: 60_000 }, attributes: {} },
    identity: null,
    sameAs: null,
  });
  await until(async () => DatasetView.parse((await replica.get('/v1/datasets/fashion')).body).status === 'ready');
  await converter.stop();
}

/** Two workers that train whatever comes, a log row every few milliseconds, until the test lets it end. */
class Trainers {
  /** What they claimed, in order. */
  readonly tickets: HeldJob['ticket'][] = [];
  readonly #workers: readonly HandWorker[];
  readonly #steps = new Map<string, number>();
  readonly #let = new Set<string>();
  #letAll = false;

  private constructor(workers: readonly HandWorker[]) {
    this.#workers = workers;
    for (const worker of workers) void this.#work(worker);
  }

  static async start(replicas: Replicas): Promise<Trainers> {
    const names = ['hand-1', 'hand-2'];
    return new Trainers(await Promise.all(names.map((name) => HandWorker.start(replicas, 'experiment', name))));
  }

  /** Lets an experiment end with its next step. */
  let(id: string): void {
    this.#let.add(id);
  }

  letAll(): void {
    this.#letAll = true;
  }

  /** How many steps an experiment was trained, in all attempts together. */
  stepsOf(id: string): number {
    return this.#steps.get(id) ?? 0;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  async #work(worker: HandWorker): Promise<void> {
    for (;;) await this.#train(await worker.job());
  }

  async #train(job: HeldJob): Promise<void> {
    const { ticket } = job;
    this.tickets.push(ticket);
    job.send({
      type: 'attempt_started',
      workerId: 'hand',
      startStep: 0,
      engine: 'reference',
      environment: { engine: 'reference' },
      rejectedCheckpoints: [],
    });
    for (let step = 1; ; step += 1) {
      job.send({ type: 'log_row', step, row: { train_cost: 1 / step } });
      this.#steps.set(ticket.id, this.stepsOf(ticket.id) + 1);
      if (step >= 30 && (this.#letAll || this.#let.has(ticket.id))) break;
      await pause(5);
    }
    job.end('succeeded', { parametersSha256: 'a'.repeat(64), lastRow: { train_cost: 0.5 } });
  }
}
