import { decodeNumber, type Json, type LogRow, type WorkerEvent } from '@longrun/contracts';
import * as fc from 'fast-check';
import { expect } from 'vitest';

import { type NumberedEvent, readEventPage } from '../src/life/event-page.js';
import { insertRows, readLogPage, readSeries } from '../src/life/series.js';
import { mergeChunks } from '../src/record/log-store.js';
import type { PlatformRecord } from '../src/record/record.js';
import { Metrics } from '../src/requests/metrics.js';
import { ExperimentByHand } from './by-hand.js';
import { test } from './world.js';

test('a row comes back as it was: numbers to the last bit, NaN and infinities, texts, lists, nothing and null', async ({
  record,
}) => {
  const experiment = await ExperimentByHand.start(record);
  const all: LogRow[] = [
    { cost: 0.1 + 0.2, tiny: 5e-324, huge: -1.7976931348623157e308, count: 2 ** 53 },
    { cost: 'NaN', tiny: 'Infinity', huge: '-Infinity' },
    { cost: 'text', list: [1, 'NaN', null, { deep: true }], none: null, flag: false },
    {},
    { cost: 'nan', 'a name / with "all" of it ü': 1 },
  ];
  await experiment.goOnFrom(0);
  await experiment.take(1, ...all.map((row, step) => logRow(step, row)));
  expect((await readLogPage(record.db, experiment.id)).items).toEqual(all.map((row, step) => ({ step, row })));
  const [cost] = await readSeries(record.db, experiment.id, ['cost']);
  expect(cost).toEqual({
    name: 'cost',
    steps: [0, 1],
    values: [0.1 + 0.2, 'NaN'],
    fences: [1, 1],
    superseded: [false, false],
  });
});

test('a row in parts is one row, and what came last counts', async ({ record }) => {
  const experiment = await ExperimentByHand.start(record);
  await experiment.goOnFrom(0);
  await experiment.take(
    1,
    logRow(1, { cost: 1, rate: 5 }),
    logRow(2, { cost: 2 }),
    logRow(2, { cost: 3, error: 'NaN' }),
  );
  await experiment.take(1, logRow(2, { cost: 4 }));
  expect((await readLogPage(record.db, experiment.id)).items).toEqual([
    { step: 1, row: { cost: 1, rate: 5 } },
    { step: 2, row: { cost: 4, error: 'NaN' } },
  ]);
  expect((await readLogPage(record.db, experiment.id, { after: 1 })).items).toHaveLength(1);
  expect((await readLogPage(record.db, experiment.id, { limit: 1 })).items).toEqual([
    { step: 1, row: { cost: 1, rate: 5 } },
  ]);
});

test('points that a later attempt supersedes are kept and marked, and neither served as rows nor sent to those who come late', async ({
  record,
}) => {
  const experiment = await ExperimentByHand.start(record);
  await experiment.goOnFrom(0);
  await experiment.take(1, ...[1, 2, 3, 4].map((step) => logRow(step, { cost: step })));
  const second = await experiment.goOnFrom(2);
  await experiment.take(second, ...[3, 4, 5].map((step) => logRow(step, { cost: 10 * step })));
  const third = await experiment.goOnFrom(4);
  await experiment.take(third, logRow(4, { cost: 40 }), logRow(5, { cost: 500 }));

  expect((await readLogPage(record.db, experiment.id)).items.map(({ step, row }) => [step, row['cost']])).toEqual([
    [1, 1],
    [2, 2],
    [3, 30],
    [4, 40],
    [5, 500],
  ]);
  const [points] = await readSeries(record.db, experiment.id, ['cost'], { superseded: true });
  expect(points?.steps).toEqual([1, 2, 3, 3, 4, 4, 4, 5, 5]);
  expect(points?.values).toEqual([1, 2, 3, 30, 4, 40, 40, 50, 500]);
  expect(points?.fences).toEqual([1, 1, 1, 2, 1, 2, 3, 2, 3]);
  expect(points?.superseded).toEqual([false, false, true, false, true, true, false, true, false]);
  const [counted] = await readSeries(record.db, experiment.id, ['cost']);
  expect(counted?.values).toEqual([1, 2, 30, 40, 500]);
  const sent = (await eventsAfter(record, experiment.id, 0)).flatMap((event) =>
    event.type === 'log_row' ? [[event.data.fence, event.data.step]] : [],
  );
  expect(sent).toEqual([
    [1, 1],
    [1, 2],
    [2, 3],
    [2, 4],
    [3, 4],
    [3, 5],
  ]);
});

test('steps are whole numbers up to 2^53 - 1 from end to end', async ({ record }) => {
  const experiment = await ExperimentByHand.start(record);
  const last = Number.MAX_SAFE_INTEGER;
  await experiment.goOnFrom(2 ** 31);
  const checkpoint: WorkerEvent = { type: 'checkpoint_committed', step: last, sizeBytes: last };
  await experiment.take(1, logRow(2 ** 31 + 1, { cost: 1 }), logRow(last, { cost: 2 }), checkpoint, {
    type: 'log_skipped',
    toStep: last,
  });
  await experiment.write((life) => {
    life.row.lastEvent = last - 10;
    life.logged(1, last, { cost: 3 }, new Date());
  });
  expect((await readLogPage(record.db, experiment.id, { after: 2 ** 31 - 1 })).items).toEqual([
    { step: 2 ** 31 + 1, row: { cost: 1 } },
    { step: last, row: { cost: 3 } },
  ]);
  expect((await readLogPage(record.db, experiment.id, { after: last })).items).toEqual([]);
  const sent = await eventsAfter(record, experiment.id, 2 ** 31);
  expect(sent).toMatchObject([{ id: last - 9, data: { step: last } }]);
  await experiment.goOnFrom(last - 1);
  expect((await readLogPage(record.db, experiment.id)).items).toHaveLength(1);
});

test('rows completed from elsewhere come once, record by record, and followers get them', async ({ record }) => {
  const experiment = await ExperimentByHand.start(record);
  await experiment.goOnFrom(0);
  await experiment.take(1, logRow(1, { cost: 1 }), logRow(3, { cost: 3 }), { type: 'log_skipped', toStep: 4 });
  const complete = [1, 2, 3, 4].map((step) => ({ step, row: { cost: step, rate: 0.5 } as LogRow }));
  const before = await eventsAfter(record, experiment.id, 0);
  const insert = (): Promise<number> =>
    experiment.write(async (life, transaction) => {
      life.row.logCompleteTo = 4;
      return insertRows(transaction, life, 1, complete, new Date());
    });
  expect(await insert()).toBe(4);
  expect(await insert()).toBe(0);
  expect((await readLogPage(record.db, experiment.id)).items).toEqual(complete);
  // What was on its way all the time: a part of it is new.
  await experiment.take(1, logRow(2, { cost: 2, rate: 0.5 }), logRow(4, { cost: 4, error: 7 }), logRow(5, { cost: 5 }));
  const sent = (await eventsAfter(record, experiment.id, 0)).slice(before.length);
  expect(sent.map((event) => event.data)).toEqual([
    { fence: 1, step: 1, row: { rate: 0.5 } },
    { fence: 1, step: 2, row: { cost: 2, rate: 0.5 } },
    { fence: 1, step: 3, row: { rate: 0.5 } },
    { fence: 1, step: 4, row: { cost: 4, rate: 0.5 } },
    { fence: 1, step: 5, row: { cost: 5 } },
    { fence: 1, step: 4, row: { error: 7 } },
  ]);
  // A later attempt that begins before it logs its own rows.
  const second = await experiment.goOnFrom(2);
  await experiment.take(second, logRow(3, { cost: 33 }));
  expect((await readLogPage(record.db, experiment.id)).items.map(({ row }) => row['cost'])).toEqual([1, 2, 33]);
});

test('small chunks are merged when many have piled up and when the attempt is over, and nobody who reads sees it', async ({
  record,
}) => {
  const experiment = await ExperimentByHand.start(record);
  await experiment.goOnFrom(0);
  for (let step = 1; step <= 64; step += 1) await experiment.take(1, logRow(step, { cost: step }), line(step));
  const before = await eventsAfter(record, experiment.id, 0);
  expect(await chunkSizes(record, experiment.id)).toHaveLength(64);
  await experiment.take(1, logRow(65, { cost: 65 }));
  expect(await chunkSizes(record, experiment.id)).toEqual([65]);
  const after = await eventsAfter(record, experiment.id, 0);
  expect(after.slice(0, before.length)).toEqual(before);
  for (const cursor of [1, 5, 6, 64, 130]) {
    expect(await eventsAfter(record, experiment.id, cursor)).toEqual(after.filter(({ id }) => id > cursor));
  }
  for (let step = 66; step <= 70; step += 1) await experiment.take(1, logRow(step, { cost: step }));
  expect(await chunkSizes(record, experiment.id)).toHaveLength(6);
  await experiment.goOnFrom(67);
  expect(await chunkSizes(record, experiment.id)).toEqual([70]);
  expect((await readLogPage(record.db, experiment.id)).items.map(({ step }) => step)).toEqual(
    Array.from({ length: 67 }, (_, index) => index + 1),
  );
});

test('a chunk is bounded in rows and in bytes, and so is a page of the log', async ({ record }) => {
  const experiment = await ExperimentByHand.start(record);
  await experiment.goOnFrom(0);
  const wide = 'x'.repeat(100_000);
  await experiment.take(1, ...Array.from({ length: 2500 }, (_, step) => logRow(step, { cost: step })));
  await experiment.take(1, ...Array.from({ length: 60 }, (_, step) => logRow(2500 + step, { wide })));
  const sizes = await chunkSizes(record, experiment.id);
  expect(sizes.slice(0, 3)).toEqual([1024, 1024, 452]);
  expect(Math.max(...sizes.slice(3))).toBeLessThanOrEqual(10);
  expect(sizes.reduce((total, size) => total + size)).toBe(2560);
  const first = await readLogPage(record.db, experiment.id, { limit: 5000 });
  expect(JSON.stringify(first).length).toBeLessThan(5e6);
  const second = await readLogPage(record.db, experiment.id, { after: first.nextAfter ?? 0, limit: 5000 });
  expect(second.nextAfter).toBe(null);
  expect([...first.items, ...second.items].map(({ step }) => step)).toEqual(
    Array.from({ length: 2560 }, (_, step) => step),
  );
});

test('long series are thinned from what chunks say of themselves, and come as the rows have them where a restart has cut a chunk', async ({
  record,
}) => {
  const experiment = await ExperimentByHand.start(record);
  const metrics = new Metrics({ record });
  await experiment.goOnFrom(0);
  const cost = (step: number): number | 'NaN' =>
    step === 1234 ? 'NaN' : step === 777 ? -5 : 1 + ((step * 7919) % 1000);
  const rows = (from: number, to: number): WorkerEvent[] =>
    Array.from({ length: to - from }, (_, index) => logRow(from + index, { cost: cost(from + index), 'a/b %.ü': 1 }));
  await experiment.take(1, ...rows(0, 3000));
  // Small chunks, one of them with a digest of its own, which are merged as the next attempt begins.
  await experiment.take(1, ...rows(3000, 3300));
  for (let step = 3300; step < 4000; step += 100) await experiment.take(1, ...rows(step, step + 100));
  const second = await experiment.goOnFrom(3500);
  expect((await metrics.list(experiment.id)).items.map(({ name, count, lastStep }) => [name, count, lastStep])).toEqual(
    [
      ['a/b %.ü', 3501, 3500],
      ['cost', 3501, 3500],
    ],
  );
  await experiment.take(second, logRow(3501, { cost: 'Infinity' }));
  const known = (await metrics.list(experiment.id)).items[1];
  const [all] = await readSeries(record.db, experiment.id, ['cost']);
  const whole = await metrics.series(experiment.id, 'cost', 100_000);
  expect([whole.steps, whole.values]).toEqual([all?.steps, all?.values]);
  expect(known).toMatchObject({ count: 3502, nonFinite: 2, last: 'Infinity', min: { value: -5, step: 777 } });

  for (const maxPoints of [10, 100, 1000]) {
    const thinned = await metrics.series(experiment.id, 'cost', maxPoints);
    expect(thinned).toMatchObject({ count: 3502, nonFinite: 2 });
    expect(thinned.steps.length).toBeLessThanOrEqual(maxPoints);
    expect(thinned.steps.length).toBeGreaterThan(maxPoints / 4);
    expect([thinned.steps[0], thinned.steps.at(-1)]).toEqual([0, 3501]);
    const points = thinned.steps.map((step, index) => [step, thinned.values[index]]);
    expect(points).toEqual(
      expect.arrayContaining([
        [777, -5],
        [1234, 'NaN'],
        [known?.max?.step, known?.max?.value],
      ]),
    );
    for (const [step, value] of points) expect(value).toBe(whole.values[whole.steps.indexOf(Number(step))]);
  }
  // Most of it was read from digests: two chunks of the first rows, and the third.
  const digests = await record.db
    .selectFrom('logColumns')
    .select('chunk')
    .where('id', '=', experiment.id)
    .where('digest', 'is not', null)
    .execute();
  expect(digests).toHaveLength(8);
});

/** What may happen to a log, in a few words. */
type Happening =
  | { readonly type: 'log'; readonly steps: readonly { readonly ahead: number; readonly name: string }[] }
  | { readonly type: 'begin'; readonly back: number }
  | { readonly type: 'merge' }
  | { readonly type: 'complete'; readonly back: number };

test('whatever happens to a log, what is read is what counts, by step and by event, from any cursor', async ({
  record,
}) => {
  const happening: fc.Arbitrary<Happening> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        type: fc.constant('log' as const),
        steps: fc.array(fc.record({ ahead: fc.integer({ min: 0, max: 2 }), name: fc.constantFrom('a', 'b') }), {
          minLength: 1,
          maxLength: 6,
        }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('begin' as const), back: fc.integer({ min: 0, max: 5 }) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('merge' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('complete' as const), back: fc.integer({ min: 0, max: 5 }) }),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 15 }), async (happenings) => {
      const experiment = await ExperimentByHand.start(record);
      const model = new ModelOfALog();
      model.begin(await experiment.goOnFrom(0), 0);
      for (const one of happenings) await happen(experiment, model, one);

      expect((await readLogPage(record.db, experiment.id)).items).toEqual(model.rows());
      const metrics = new Metrics({ record });
      const { items } = await metrics.list(experiment.id).catch(() => ({ items: [] }));
      expect(items).toEqual(['a', 'b', 'c'].flatMap((name) => model.metric(name) ?? []));
      for (const { name } of items) {
        const { steps, values } = await metrics.series(experiment.id, name, 1000);
        expect(steps.map((step, index) => [step, values[index]])).toEqual(model.points(name));
      }
      const events = await eventsAfter(record, experiment.id, 0);
      expect(events.flatMap((event) => (event.type === 'log_row' ? [event.data] : []))).toEqual(model.sent());
      expect(events.map(({ id }) => id)).toEqual([...new Set(events.map(({ id }) => id))].toSorted((a, b) => a - b));
      for (let cursor = 0; cursor <= (events.at(-1)?.id ?? 0); cursor += 3) {
        expect(await eventsAfter(record, experiment.id, cursor)).toEqual(events.filter(({ id }) => id > cursor));
      }
    }),
    { numRuns: 30 },
  );
});

async function happen(experiment: ExperimentByHand, model: ModelOfALog, one: Happening): Promise<void> {
  switch (one.type) {
    case 'log': {
      const entries = one.steps.map(({ ahead, name }) => model.log(ahead, name));
      await experiment.take(model.fence, ...entries.map(({ step, row }) => logRow(step, row)));
      return;
    }
    case 'begin': {
      const start = Math.max(0, model.step - one.back);
      model.begin(await experiment.goOnFrom(start), start);
      return;
    }
    case 'merge':
      await experiment.write((life, transaction) => mergeChunks(transaction, life.row.id, model.fence));
      return;
    case 'complete': {
      const entries = Array.from({ length: one.back + 1 }, (_, back) => Math.max(0, model.step - back)).map((step) => ({
        step,
        row: { a: 1000 - step, c: step },
      }));
      const added = await experiment.write((life, transaction) =>
        insertRows(transaction, life, model.fence, entries, new Date()),
      );
      if (added !== model.complete(entries)) throw new Error(`${added} rows were added`);
      return;
    }
  }
}

/** The same in memory: nothing but a list. */
class ModelOfALog {
  fence = 0;
  step = 0;
  readonly #entries: { fence: number; step: number; row: Record<string, Json> }[] = [];
  readonly #starts = new Map<number, number>();

  begin(fence: number, start: number): void {
    this.fence = fence;
    this.step = start;
    this.#starts.set(fence, start);
  }

  log(ahead: number, name: string): { step: number; row: Record<string, Json> } {
    this.step += ahead;
    const entry = {
      fence: this.fence,
      step: this.step,
      row: { [name]: ahead === 2 ? [`text ${this.step}`] : this.#number() },
    };
    this.#entries.push(entry);
    return entry;
  }

  #number(): number | string {
    const number = this.#entries.length;
    return number % 7 === 3 ? 'NaN' : number % 11 === 5 ? '-Infinity' : (number % 4) - 1.5;
  }

  /** The last number of each step. */
  points(name: string): [number, Json][] {
    const points = new Map<number, Json>();
    for (const { step, row } of this.sent().toSorted((a, b) => a.fence - b.fence)) {
      const value = row[name];
      if (decodeNumber(value) !== undefined && value !== undefined) points.set(step, value);
    }
    return [...points].toSorted(([a], [b]) => a - b);
  }

  metric(name: string): unknown {
    const points = this.points(name);
    const last = points.at(-1);
    if (last === undefined) return undefined;
    const finite = points.filter((point): point is [number, number] => typeof point[1] === 'number');
    const extreme = (sign: number): unknown => {
      const [best] = finite.toSorted((one, two) => sign * (one[1] - two[1]) || one[0] - two[0]);
      return best === undefined ? null : { value: best[1], step: best[0] };
    };
    return {
      name,
      count: points.length,
      nonFinite: points.length - finite.length,
      last: last[1],
      lastStep: last[0],
      min: extreme(1),
      max: extreme(-1),
    };
  }

  complete(entries: readonly { step: number; row: Record<string, Json> }[]): number {
    let added = 0;
    for (const { step, row } of entries) {
      const there = this.sent().filter((entry) => entry.step === step);
      const missing = Object.entries(row).filter(([name]) => !there.some((entry) => name in entry.row));
      if (missing.length === 0) continue;
      this.#entries.push({ fence: this.fence, step, row: Object.fromEntries(missing) });
      added += 1;
    }
    return added;
  }

  sent(): { fence: number; step: number; row: Record<string, Json> }[] {
    return this.#entries.filter(
      ({ fence, step }) => ![...this.#starts].some(([later, start]) => later > fence && start < step),
    );
  }

  rows(): { step: number; row: Record<string, Json> }[] {
    const all = new Map<number, Record<string, Json>>();
    for (const { step, row } of this.sent().toSorted((a, b) => a.fence - b.fence))
      all.set(step, { ...all.get(step), ...row });
    return [...all].map(([step, row]) => ({ step, row })).toSorted((a, b) => a.step - b.step);
  }
}

function logRow(step: number, row: LogRow): WorkerEvent {
  return { type: 'log_row', step, row };
}

function line(number: number): WorkerEvent {
  return { type: 'line', stream: 'stdout', text: `line ${number}` };
}

/** All events after a cursor, over as many pages as it takes. */
async function eventsAfter(record: PlatformRecord, id: string, after: number): Promise<NumberedEvent[]> {
  const events: NumberedEvent[] = [];
  for (let cursor = after; ;) {
    const page = await readEventPage(record.db, id, cursor);
    if (page === undefined) throw new Error(`${id} has no events`);
    events.push(...page.events);
    if (page.reached >= page.lastEvent || page.reached === cursor) return events;
    cursor = page.reached;
  }
}

async function chunkSizes(record: PlatformRecord, id: string): Promise<number[]> {
  const chunks = await record.db
    .selectFrom('logChunks')
    .select('rowCount')
    .where('id', '=', id)
    .orderBy('chunk')
    .execute();
  return chunks.map(({ rowCount }) => rowCount);
}
