import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DatasetView,
  ExperimentComparison,
  ExperimentDryRun,
  ExperimentList,
  ExperimentView,
  LiveEvent,
  type Metric,
  MetricList,
  Problem,
  type ReasonCode,
  type WorkerEvent,
} from '@longrun/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Frame, openEvents } from './events-of.js';
import { HandWorker } from './hand-worker.js';
import { problemErrorsOf } from './problem.js';
import { Service } from './service.js';

// Other suites may share the machine's cores.
let service: Service;
let trainer: HandWorker;
let converter: HandWorker;
beforeAll(async () => {
  service = await Service.start({ LONGRUN_EVENT_HEARTBEAT_MS: '100' });
  trainer = await HandWorker.start(service, 'experiment');
  converter = await HandWorker.start(service, 'dataset');
});
afterAll(async () => {
  await Promise.all([trainer.stop(), converter.stop()]);
  await service.close();
});

const spec = {
  program: 'layers',
  params: { dims: [784, 500, 10], activations: ['tanh', 'softmax'] },
  dataset: 'fashion',
};

async function submit(extra: object = {}): Promise<string> {
  const answer = await service.post('/v1/experiments', { ...spec, ...extra }).expect(201);
  return ExperimentView.parse(answer.body).id;
}

/** Asks until the answer is as it should become. */
async function until<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    await sleep(20);
  }
}

async function experiment(id: string): Promise<ExperimentView> {
  return ExperimentView.parse((await service.get(`/v1/experiments/${id}`).expect(200)).body);
}

/** Until its name is not among those that refusals offer. */
async function datasetFailed({ id }: DatasetView): Promise<void> {
  await until(
    async () => DatasetView.parse((await service.get(`/v1/datasets/${id}`).expect(200)).body),
    ({ status }) => status === 'failed',
  );
}

async function gather(frames: AsyncIterable<Frame>): Promise<Frame[]> {
  const all: Frame[] = [];
  for await (const frame of frames) if (frame.event !== undefined) all.push(frame);
  return all;
}

/** Without the one that says where what had happened is over, which must be there, once and without an id. */
function withoutMark(frames: readonly Frame[]): Frame[] {
  const marks = frames.filter(({ event }) => event === 'caught-up');
  expect(marks).toMatchObject([{ event: 'caught-up', data: { type: 'caught-up', id: null } }]);
  expect(marks[0]).not.toHaveProperty('id');
  return frames.filter(({ event }) => event !== 'caught-up');
}

const started: WorkerEvent = {
  type: 'attempt_started',
  workerId: 'hand-experiment',
  startStep: 0,
  engine: 'reference',
  environment: { engine: 'reference' },
  rejectedCheckpoints: [],
};
const row = (step: number): WorkerEvent => ({ type: 'log_row', step, row: { train_cost: 1 / step } });
const result = { parametersSha256: 'a'.repeat(64), lastRow: { train_cost: 0.5 } };

describe('datasets', () => {
  test('one is submitted, converted and read by id and by name', async () => {
    const submitted = await service.post('/v1/datasets', { name: 'fashion', converter: 'fashion-mnist' }).expect(201);
    const dataset = DatasetView.parse(submitted.body);
    expect(submitted.headers['location']).toBe(`/v1/datasets/${dataset.id}`);
    expect(dataset).toMatchObject({ status: 'queued', spec: { source: { download: true } } });

    const job = await converter.job();
    expect(job.ticket).toEqual({ id: dataset.id, fence: 1 });
    job.end('succeeded', {
      fileKey: `datasets/files/${'b'.repeat(64)}.hdf5`,
      sha256: 'b'.repeat(64),
      sizeBytes: 7,
      description: { sources: [], splits: { train: 60_000 }, attributes: {} },
      identity: { converter: 'fashion-mnist', converterVersion: 1, params: {}, inputs: [] },
      sameAs: null,
    });
    const byName = await until(
      async () => DatasetView.parse((await service.get('/v1/datasets/fashion').expect(200)).body),
      ({ status }) => status === 'ready',
    );
    expect(byName.result).toMatchObject({ sizeBytes: 7, description: { splits: { train: 60_000 } } });
    expect((await service.get(`/v1/datasets/${dataset.id}`).expect(200)).body).toEqual(byName);
  });

  test('an identical request is answered with what is there, with 200', async () => {
    const again = await service.post('/v1/datasets', { name: 'fashion', converter: 'fashion-mnist' }).expect(200);
    expect(DatasetView.parse(again.body).status).toBe('ready');
    expect((await service.get('/v1/datasets').expect(200)).body).toMatchObject({
      items: [{ name: 'fashion' }],
      nextCursor: null,
    });
  });
});

describe('experiments', () => {
  test('one is submitted, trained and followed, from its first event and live, to its end', async () => {
    const id = await submit({ name: 'followed' });
    const first = await openEvents(service, `/v1/experiments/${id}/events`);
    expect(first.response.status).toBe(200);
    expect(Object.fromEntries(first.response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    const early = gather(first.frames);

    const job = await trainer.job();
    expect(job.ticket.id).toBe(id);
    job.send(started);
    job.send(row(1));
    await until(
      () => experiment(id),
      ({ attempts }) => attempts[0]?.lastStep === 1,
    );

    // One who comes in the middle gets what was, then what comes.
    const second = await openEvents(service, `/v1/experiments/${id}/events`);
    const middle = gather(second.frames);
    job.send({ type: 'line', stream: 'stdout', text: 'a line\nof two: not a frame' });
    job.send({ type: 'checkpoint_committed', step: 2, sizeBytes: 42 });
    job.send(row(2));
    job.end('succeeded', result);

    const frames = withoutMark(await early);
    expect(frames.map(({ event }) => event)).toEqual([
      'status',
      'status',
      'attempt_started',
      'log_row',
      'line',
      'checkpoint',
      'log_row',
      'attempt_ended',
      'status',
      'end',
    ]);
    expect(frames.slice(0, -1).map((frame) => frame.id)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
    for (const { data, event, id: eventId } of frames.slice(0, -1)) {
      expect(LiveEvent.parse(data)).toMatchObject({ type: event, id: Number(eventId) });
    }
    expect(frames.at(-2)?.data).toMatchObject({ data: { status: 'succeeded', result } });
    expect(frames.at(-1)).toEqual({ event: 'end', data: { status: 'succeeded', reason: 'succeeded' } });
    expect(withoutMark(await middle)).toEqual(frames);

    // One who comes too late gets the same, from where they left off.
    const replayed = await openEvents(service, `/v1/experiments/${id}/events`);
    expect(withoutMark(await gather(replayed.frames))).toEqual(frames);
    const resumed = await openEvents(service, `/v1/experiments/${id}/events`, { 'last-event-id': '7' });
    expect(withoutMark(await gather(resumed.frames))).toEqual(frames.slice(7));
    const asked = await openEvents(service, `/v1/experiments/${id}/events?after=8`);
    expect(withoutMark(await gather(asked.frames))).toEqual(frames.slice(8));
    const both = await openEvents(service, `/v1/experiments/${id}/events?after=1`, { 'last-event-id': '8' });
    expect(withoutMark(await gather(both.frames))).toEqual(frames.slice(8));
    const past = await openEvents(service, `/v1/experiments/${id}/events?after=9`);
    expect(withoutMark(await gather(past.frames))).toEqual(frames.slice(9));
    for (const far of [2 ** 31 - 1, Number.MAX_SAFE_INTEGER]) {
      const beyond = await openEvents(service, `/v1/experiments/${id}/events?after=${far}`);
      expect(withoutMark(await gather(beyond.frames))).toEqual(frames.slice(9));
      await service.get(`/v1/experiments/${id}/log?after=${far}`).expect(200, { items: [], nextAfter: null });
    }
    for (const path of ['events', 'log']) {
      const refused = await service.get(`/v1/experiments/${id}/${path}?after=${2 ** 53}`).expect(400);
      expect(JSON.stringify(refused.body)).toContain('9007199254740991');
    }

    expect(await experiment(id)).toMatchObject({
      status: 'succeeded',
      name: 'followed',
      // With the program's defaults filled in.
      spec: { params: { batchSize: 128, learningRate: 0.001 }, seed: 1 },
      attempts: [{ fence: 1, reason: 'succeeded', workerId: 'hand-experiment' }],
      checkpoints: [{ step: 2, sizeBytes: 42 }],
      result,
    });
  });

  test('a silent stream is kept alive by comments, and says how soon to come back', async () => {
    const id = await submit();
    const job = await trainer.job();
    const { frames, leave } = await openEvents(service, `/v1/experiments/${id}/events?after=1000`);
    expect((await frames.next()).value).toEqual({ retry: '2000' });
    expect((await frames.next()).value).toMatchObject({ event: 'caught-up' });
    expect((await frames.next()).value).toEqual({ comment: 'alive' });
    expect((await frames.next()).value).toEqual({ comment: 'alive' });
    leave();
    job.end('succeeded', result);
    await until(
      () => experiment(id),
      ({ status }) => status === 'succeeded',
    );
  });

  test('one who goes away is no longer followed', async () => {
    const id = await submit();
    const job = await trainer.job();
    const path = `/v1/experiments/${id}/events`;
    const { frames, leave } = await openEvents(service, path);
    await frames.next();
    leave();
    // The line in the log is written when the stream's request is over.
    await until(
      () => Promise.resolve(service.log.find(({ fields }) => fields['path'] === path)),
      (line) => line !== undefined,
    );
    expect(service.log.find(({ fields }) => fields['path'] === path)?.fields).toMatchObject({
      status: 200,
      aborted: true,
    });
    job.end('succeeded', result);
    await until(
      () => experiment(id),
      ({ status }) => status === 'succeeded',
    );
  });

  test('progress is sent to those who follow, without an id', async () => {
    const id = await submit();
    const job = await trainer.job();
    job.send(started);
    await until(
      () => experiment(id),
      ({ status }) => status === 'running',
    );
    const { frames, leave } = await openEvents(service, `/v1/experiments/${id}/events?after=3`);
    const timer = setInterval(() => job.send({ type: 'progress', step: 1, epoch: 0, stepsPerSecond: 10 }), 50);
    for await (const frame of frames) {
      if (frame.event === undefined || frame.event === 'caught-up') continue;
      expect(frame).toMatchObject({ event: 'progress', data: { id: null, data: { step: 1, stepsPerSecond: 10 } } });
      expect(frame).not.toHaveProperty('id');
      break;
    }
    clearInterval(timer);
    leave();
    job.end('succeeded', result);
    await until(
      () => experiment(id),
      ({ status }) => status === 'succeeded',
    );
  });

  test('the log is read in pages, from any step on', async () => {
    const id = await submit();
    const job = await trainer.job();
    job.send(started);
    for (let step = 1; step <= 25; step += 1) job.send(row(step));
    job.end('succeeded', result);
    await until(
      () => experiment(id),
      ({ status }) => status === 'succeeded',
    );

    const steps: number[] = [];
    const sizes: number[] = [];
    let after: number | null = -1;
    while (after !== null) {
      const page: { items: { step: number }[]; nextAfter: number | null } = (
        await service.get(`/v1/experiments/${id}/log?limit=10&after=${after}`).expect(200)
      ).body;
      steps.push(...page.items.map(({ step }) => step));
      sizes.push(page.items.length);
      after = page.nextAfter;
    }
    expect(steps).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    expect(sizes).toEqual([10, 10, 5]);
    expect((await service.get(`/v1/experiments/${id}/log?after=24`).expect(200)).body).toEqual({
      items: [{ step: 25, row: { train_cost: 1 / 25 } }],
      nextAfter: null,
    });
    expect((await service.get(`/v1/experiments/${id}/log?after=25`).expect(200)).body).toEqual({
      items: [],
      nextAfter: null,
    });
  });

  test('metrics are asked for by any name while it runs and after a restart, of one experiment and of several', async () => {
    const id = await submit({ name: 'measured' });
    const name = 'a/b %2F .. ü';
    const log = (step: number, value: number | string): WorkerEvent => ({
      type: 'log_row',
      step,
      row: { [name]: value, train_cost: step },
    });
    const metric = async (): Promise<Metric | undefined> =>
      MetricList.parse((await service.get(`/v1/experiments/${id}/metrics`).expect(200)).body).items[0];
    const first = await trainer.job();
    first.send(started);
    for (const event of [log(1, 0.5), log(2, 'NaN'), log(3, 0.25), log(4, 9)]) first.send(event);
    expect(await until(metric, (seen) => seen?.count === 4)).toEqual({
      name,
      count: 4,
      nonFinite: 1,
      last: 9,
      lastStep: 4,
      min: { value: 0.25, step: 3 },
      max: { value: 9, step: 4 },
    });
    const path = `/v1/experiments/${id}/metrics/${encodeURIComponent(name)}`;
    const series = { experiment: id, name, count: 4, nonFinite: 1, steps: [1, 2, 3, 4], values: [0.5, 'NaN', 0.25, 9] };
    expect((await service.get(path).expect(200)).body).toEqual(series);

    // The next attempt goes on from step 2.
    first.end('preempted');
    const second = await trainer.job();
    expect(second.ticket.id).toBe(id);
    second.send({ ...started, startStep: 2 });
    second.send(log(3, 0.75));
    const resumed = await until(metric, (seen) => seen?.last === 0.75);
    expect(resumed).toMatchObject({ count: 3, min: { value: 0.5, step: 1 }, max: { value: 0.75, step: 3 } });
    const points = { experiment: id, name, count: 3, nonFinite: 1, steps: [1, 2, 3], values: [0.5, 'NaN', 0.75] };
    expect((await service.get(path).expect(200)).body).toEqual(points);
    second.end('succeeded', result);
    await until(
      () => experiment(id),
      ({ status }) => status === 'succeeded',
    );

    const other = await submit();
    await service.post(`/v1/experiments/${other}/cancel`);
    const many = `/v1/metrics/${encodeURIComponent(name)}?experiments=${other},${id}`;
    const none = { experiment: other, name, count: 0, nonFinite: 0, steps: [], values: [] };
    expect((await service.get(many).expect(200)).body).toEqual({ items: [none, points] });
    expect((await service.get(`/v1/experiments/${other}/metrics`).expect(200)).body).toEqual({ items: [] });

    const where = encodeURIComponent(`metric.${JSON.stringify(name)}<1`);
    const { body } = await service
      .get(`/v1/experiments?where=${where}&metrics=${encodeURIComponent(name)}`)
      .expect(200);
    expect(ExperimentList.parse(body)).toMatchObject({
      items: [{ id, program: 'layers', datasets: { train: { name: 'fashion' } }, metrics: { [name]: 0.75 } }],
      counts: { succeeded: 1, running: 0 },
    });

    const unknown = problemErrorsOf(await service.get(`/v1/experiments/${id}/metrics/train_cots`), 'not-found');
    expect(unknown[0]?.remedy).toContain('Give one of "train_cost"');
    const absent = `exp_${'0'.repeat(32)}`;
    problemErrorsOf(await service.get(`/v1/experiments/${absent}/metrics`), 'not-found');
    problemErrorsOf(await service.get(`/v1/experiments/${absent}/metrics/a`), 'not-found');
    const [missing] = problemErrorsOf(await service.get(`${many},${absent}`), 'not-found');
    expect(missing?.detail).toContain(absent);
    for (const [query, words] of [
      ['/v1/metrics/a?experiments=exp_1', 'whole ids'],
      ['/v1/metrics/a', 'experiments'],
      [`/v1/experiments/${id}/metrics/a?maxPoints=1`, 'at least 10'],
      ['/v1/experiments?where=cost', 'metric.valid_cost<0.3'],
      ['/v1/experiments?sort=cost', 'metric.NAME'],
    ] as const) {
      const answer = await service.get(query);
      problemErrorsOf(answer, 'invalid-parameter');
      expect(answer.text).toContain(words);
    }
  });

  test('one that runs is cancelled: its worker is told, and its followers see the end', async () => {
    const id = await submit();
    const job = await trainer.job();
    job.send(started);
    await until(
      () => experiment(id),
      ({ status }) => status === 'running',
    );
    const { frames } = await openEvents(service, `/v1/experiments/${id}/events`);
    const gathered = gather(frames);
    const answer = await service.post(`/v1/experiments/${id}/cancel`).expect(202);
    expect(ExperimentView.parse(answer.body)).toMatchObject({ status: 'running', cancelRequested: true });
    await job.stopRequested;
    job.end('cancelled');
    expect((await gathered).at(-1)).toEqual({ event: 'end', data: { status: 'cancelled', reason: 'cancelled' } });

    const again = await service.post(`/v1/experiments/${id}/cancel`);
    const [error] = problemErrorsOf(again, 'conflict');
    expect(error?.detail).toBe(`The experiment ${id} has ended already: it is cancelled.`);
  });

  test('one is preempted, paused, resumed, cancelled and retried, and its followers see it go on', async () => {
    const id = await submit();
    const verb = async (name: string): Promise<ExperimentView> =>
      ExperimentView.parse((await service.post(`/v1/experiments/${id}/${name}`).expect(202)).body);
    const run = async (): Promise<Awaited<ReturnType<typeof trainer.job>>> => {
      const job = await trainer.job();
      job.send(started);
      await until(
        () => experiment(id),
        ({ status }) => status === 'running',
      );
      return job;
    };
    const first = await run();
    // It ends when its worker has heard of it, which may be before the answer comes.
    const endedBy = async (name: string, job: typeof first, reason: ReasonCode): Promise<void> => {
      const asked = verb(name);
      await job.stopRequested;
      job.end(reason);
      await asked;
    };
    await endedBy('preempt', first, 'preempted');

    const second = await run();
    expect(second.ticket).toMatchObject({ id, fence: 2 });
    await endedBy('pause', second, 'paused');
    await until(
      () => experiment(id),
      ({ status }) => status === 'paused',
    );
    const [refusal] = problemErrorsOf(await service.post(`/v1/experiments/${id}/preempt`), 'conflict');
    expect(refusal).toMatchObject({
      detail: `The experiment ${id} does not run: it is paused.`,
      remedy: 'Send it again when it runs.',
    });
    expect(await verb('resume')).toMatchObject({ status: 'queued' });
    const change = { addTags: ['kept'], notes: 'resumed', priority: 1 };
    const changed = await service.patch(`/v1/experiments/${id}`, change);
    expect(ExperimentView.parse(changed.body).spec).toMatchObject({ tags: ['kept'], notes: 'resumed', priority: 1 });
    const tagged = ExperimentList.parse((await service.get('/v1/experiments?tag=kept&status=queued').expect(200)).body);
    expect([tagged.items.map((item) => item.id), tagged.counts?.queued]).toEqual([[id], 1]);
    const wrong = await service.patch(`/v1/experiments/${id}`, { tag: 1 });
    expect(problemErrorsOf(wrong, 'invalid-request')).toMatchObject([{ pointer: '/tag' }]);

    const from = { experiment: id, step: 3 };
    const unforked = await service.post('/v1/experiments', { ...(await experiment(id)).spec, from });
    expect(problemErrorsOf(unforked, 'invalid-request')).toMatchObject([
      { pointer: '/from/step', detail: expect.stringContaining('has no checkpoint 3') },
    ]);

    const third = await run();
    await endedBy('cancel', third, 'cancelled');
    await until(
      () => experiment(id),
      ({ status }) => status === 'cancelled',
    );
    expect(await verb('retry')).toMatchObject({ status: 'queued', reason: null, cancelRequested: false });
    problemErrorsOf(await service.post(`/v1/experiments/${id}/retry`), 'conflict');
    const { frames } = await openEvents(service, `/v1/experiments/${id}/events`);
    const gathered = gather(frames);
    (await run()).end('succeeded', result);
    const seen = withoutMark(await gathered);
    const statuses = seen.filter(({ event }) => event === 'status').map(({ data }) => LiveEvent.parse(data).data);
    expect(statuses.map((data) => 'status' in data && data.status)).toEqual([
      'queued',
      'running',
      'queued',
      'running',
      'paused',
      'queued',
      'running',
      'cancelled',
      'queued',
      'running',
      'succeeded',
    ]);
    expect(seen.at(-1)).toEqual({ event: 'end', data: { status: 'succeeded', reason: 'succeeded' } });
    expect((await experiment(id)).attempts.map(({ reason }) => reason)).toEqual([
      'preempted',
      'paused',
      'cancelled',
      'succeeded',
    ]);

    expect((await service.delete(`/v1/experiments/${id}`).expect(204)).text).toBe('');
    for (const path of ['', '/log', '/metrics', '/events', '/checkpoints', '/outputs'])
      expect(problemErrorsOf(await service.get(`/v1/experiments/${id}${path}`), 'not-found')).toMatchObject([
        { detail: expect.stringMatching(new RegExp(`^The experiment ${id} was deleted at 20.*Z\\.$`)) },
      ]);
    problemErrorsOf(await service.delete(`/v1/experiments/${id}`), 'not-found');
    expect(ExperimentList.parse((await service.get(`/v1/experiments?id=${id}`).expect(200)).body).items).toEqual([]);
  });

  test('hyperparameters are set while one trains: those that it has, to what its program takes', async () => {
    const id = await submit();
    const set = (hyperparameters: object) => service.post(`/v1/experiments/${id}/set`).send({ hyperparameters });
    const [unknown] = problemErrorsOf(await set({ learningRate: 0.5 }), 'conflict');
    expect(unknown?.detail).toMatch(
      /is (queued|running) and has not trained yet, so that what can be set is not known/,
    );
    const job = await trainer.job();
    const hyperparameters = {
      'adam.learning_rate': 0.002,
      'adam.beta1': 0.9,
      'clip.threshold': 1,
      'other.threshold': 2,
    };
    job.send({ ...started, hyperparameters });
    await until(
      () => experiment(id),
      ({ attempts }) => attempts[0]?.hyperparameters != null,
    );
    const wrong = await set({ beta3: 1, threshold: 3 });
    expect(problemErrorsOf(wrong, 'invalid-request')).toMatchObject([
      { pointer: '/hyperparameters/beta3', detail: 'There is no hyperparameter "beta3".' },
      { pointer: '/hyperparameters/threshold', remedy: 'Give one of clip.threshold, other.threshold.' },
    ]);
    expect(problemErrorsOf(await set({ learningRate: -1 }), 'invalid-request')).toMatchObject([
      { pointer: '/hyperparameters/learningRate', remedy: 'Give a number more than 0.' },
    ]);
    expect(problemErrorsOf(await set({}), 'invalid-request')).toMatchObject([{ pointer: '/hyperparameters' }]);
    problemErrorsOf(await set({ learningRate: '1e-4' }), 'invalid-request');
    problemErrorsOf(
      await service.post(`/v1/experiments/exp_${'0'.repeat(32)}/set`).send({ hyperparameters: { x: 1 } }),
      'not-found',
    );

    const asked = ExperimentView.parse((await set({ learningRate: 0.5, 'adam.beta1': 0.8 }).expect(202)).body);
    const values = { 'adam.learning_rate': 0.5, 'adam.beta1': 0.8 };
    expect(asked.settings).toMatchObject([{ number: 1, values, step: null }]);
    // Said until it is heard of: once with the request, and again.
    expect(await job.settings(2)).toEqual(Array.from({ length: 2 }, () => [{ number: 1, values, step: null }]));
    job.send({ type: 'hyperparameters_set', number: 1, step: 12 });
    await until(
      () => experiment(id),
      ({ settings }) => settings[0]?.step === 12,
    );
    job.end('succeeded', result);
    await until(
      () => experiment(id),
      ({ status }) => status === 'succeeded',
    );
    problemErrorsOf(await set({ learningRate: 0.5 }), 'conflict');
  });

  test('one is submitted once more, under a key once, and compared with the other', async () => {
    const id = await submit({ notes: 'of the first' });
    const key = randomUUID();
    const path = `/v1/experiments/${id}`;
    const reproduce = () => service.post(`${path}/reproduce`).set('Idempotency-Key', key);
    const made = await reproduce().expect(201);
    const again = ExperimentView.parse(made.body);
    expect(again).toMatchObject({ reproduces: id, spec: { program: 'layers' } });
    expect(again.spec.notes).toBeUndefined();
    expect(made.headers['location']).toBe(`/v1/experiments/${again.id}`);
    expect((await reproduce().expect(200)).body).toMatchObject({ id: again.id });
    expect(await experiment(id)).toMatchObject({ reproduces: null });

    const compared = await service.get(`${path}/comparison?with=${again.id}`).expect(200);
    expect(ExperimentComparison.parse(compared.body)).toMatchObject({
      a: { id },
      b: { id: again.id },
      verdict: 'undecided',
      differences: null,
    });
    for (const each of [id, again.id]) {
      const job = await trainer.job();
      const cancelled = service.post(`/v1/experiments/${each}/cancel`).expect(202);
      const [stopped] = await Promise.all([job.stopRequested, cancelled]);
      expect(stopped).toBeUndefined();
      job.end('cancelled');
      await until(
        () => experiment(each),
        ({ status }) => status === 'cancelled',
      );
    }
    expect((await service.get(`${path}/comparison?with=${again.id}`).expect(200)).body).toMatchObject({
      verdict: 'incomparable',
      differences: { rows: 0, log: null, parameters: [], outputs: [] },
    });

    const unknown = `exp_${'0'.repeat(32)}`;
    problemErrorsOf(await service.post(`/v1/experiments/${unknown}/reproduce`), 'not-found');
    const [absent] = problemErrorsOf(await service.get(`${path}/comparison?with=${unknown}`), 'not-found');
    expect(absent).toMatchObject({ pointer: 'with' });
    problemErrorsOf(await service.get(`${path}/comparison`), 'invalid-parameter');
  });

  test('one that waits for its dataset is cancelled at once', async () => {
    const slow = await service.post('/v1/datasets', { name: 'slow', converter: 'mnist' }).expect(201);
    const rebuild = await service.post('/v1/datasets/slow/rebuild').expect(409);
    expect(rebuild.body).toMatchObject({ errors: [{ code: 'still-converted' }] });
    const conversion = await converter.job();
    const id = await submit({ dataset: 'slow' });
    const answer = await service.post(`/v1/experiments/${id}/cancel`).expect(202);
    expect(answer.body).toMatchObject({ status: 'cancelled', attempts: [] });
    const [unended] = problemErrorsOf(await service.delete('/v1/datasets/slow'), 'conflict');
    expect(unended?.detail).toMatch(/^The dataset ds_\w+ has not ended: it is /);
    conversion.end('dataset_corrupt');
    const failed = DatasetView.parse(slow.body);
    await datasetFailed(failed);
    await service.delete(`/v1/datasets/${failed.id}`).expect(204);
    problemErrorsOf(await service.get(`/v1/datasets/${failed.id}`), 'not-found');
  });

  test('a dry run answers what a submission would record, or its refusal, and uses up neither key nor name', async () => {
    const dataset = { name: 'not-there-yet', converter: 'mnist' };
    const converted = await service.post('/v1/datasets/dry-run', dataset).expect(200);
    expect(converted.body).toMatchObject({ existing: null, spec: { ...dataset, source: { download: true } } });
    await service.get(`/v1/datasets/${dataset.name}`).expect(404);

    const wrong = { ...spec, dataset: dataset.name, params: { ...spec.params, dims: [784, 10] } };
    const refused = await service.post('/v1/experiments/dry-run', wrong);
    const { instance: _tried, ...problem } = Problem.parse(refused.body);
    const { instance: _sent, ...same } = Problem.parse((await service.post('/v1/experiments', wrong)).body);
    expect(problem).toMatchObject({
      status: 422,
      errors: [{ pointer: '/params/dims' }, { pointer: '/dataset' }],
    });
    expect(problem).toEqual(same);

    const key = randomUUID();
    const tried = await service
      .post('/v1/experiments/dry-run', { ...spec, name: 'tried' })
      .set('Idempotency-Key', key)
      .expect(200);
    const { body: list } = await service.get('/v1/experiments?exactName=tried').expect(200);
    expect(ExperimentList.parse(list).items).toEqual([]);
    const other = { ...spec, name: 'tried', seed: 9 };
    const made = await service.post('/v1/experiments', other).set('Idempotency-Key', key).expect(201);
    const { name, from, datasets, programSha256, ...view } = ExperimentView.parse(made.body);
    const before = ExperimentDryRun.parse(tried.body);
    expect({ name, from, datasets, programSha256, spec: view.spec }).toEqual({
      ...before,
      spec: { ...before.spec, seed: 9 },
    });
    await service.post(`/v1/experiments/${view.id}/cancel`).expect(202);
  });

  test('a key makes one experiment, however often and however much at once it is used', async () => {
    const never = await service.post('/v1/datasets', { name: 'never', converter: 'mnist' }).expect(201);
    const conversion = await converter.job();
    const key = randomUUID();
    const body = { ...spec, dataset: 'never', name: 'keyed' };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => service.post('/v1/experiments', body).set('Idempotency-Key', key)),
    );
    expect(new Set(answers.map(({ body: view }) => ExperimentView.parse(view).id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7);
    const { body: list } = await service.get('/v1/experiments?limit=200');
    expect(ExperimentList.parse(list).items.filter(({ name }) => name === 'keyed')).toHaveLength(1);
    conversion.end('dataset_corrupt');
    await datasetFailed(DatasetView.parse(never.body));
  });

  test('the list is read in pages, newest first, each once, whatever is submitted meanwhile', async () => {
    const all = ExperimentList.parse((await service.get('/v1/experiments?limit=200').expect(200)).body);
    expect(all.nextCursor).toBeNull();
    expect(all.items.length).toBeGreaterThan(6);
    const createdAt = all.items.map((item) => item.createdAt);
    expect(createdAt).toEqual(createdAt.toSorted().toReversed());

    const ids: string[] = [];
    let path = '/v1/experiments?limit=3';
    for (;;) {
      const page = ExperimentList.parse((await service.get(path).expect(200)).body);
      ids.push(...page.items.map(({ id }) => id));
      if (ids.length === 3) {
        const late = await submit();
        await service.post(`/v1/experiments/${late}/cancel`);
      }
      if (page.nextCursor === null) break;
      path = `/v1/experiments?limit=3&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
    expect(ids).toEqual(all.items.map(({ id }) => id));
  });
});
