import { StateMismatch } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import type { LogRow } from './log-value.js';
import { TrainingLog } from './training-log.js';

function logAt(steps: number): TrainingLog {
  const log = new TrainingLog();
  for (let step = 0; step <= steps; step += 1) {
    log.status.iterationsDone = step;
    log.currentRow['cost'] = step / 2;
  }
  return log;
}

test('rows are addressed by time, and as present, previous and last of an epoch', () => {
  const log = logAt(5);
  log.status.epochEnds = [2];

  expect(log.currentRow).toEqual({ cost: 2.5 });
  expect(log.previousRow).toEqual({ cost: 2 });
  expect(log.lastEpochRow).toEqual({ cost: 1 });
  expect(log.row(3)).toEqual({ cost: 1.5 });
  expect([new TrainingLog().previousRow, new TrainingLog().lastEpochRow]).toEqual([{}, {}]);
});

test.each([-1, 1.5, Number.NaN])('%s is not a time', (time) => {
  expect(() => new TrainingLog().row(time)).toThrow(
    `TrainingLog: ${time} is not a time; give a number of batches, 0 or more`,
  );
});

test('a row is handed to listeners once, when its time is over, unless it is empty', () => {
  const log = logAt(2);
  log.row(3);
  const heard: [number, LogRow][] = [];
  log.onRow((time, row) => heard.push([time, { ...row }]));
  for (const time of [0, 1, 1, 2, 3]) log.complete(time);

  expect(heard).toEqual([
    [0, { cost: 0 }],
    [1, { cost: 0.5 }],
    [2, { cost: 1 }],
  ]);
});

describe('the state', () => {
  test('has status and the rows that may still be read or written, however many there were', () => {
    const log = logAt(1000);
    log.status.epochEnds = [400, 800];
    log.status['best_cost'] = 0.25;
    const copy = new TrainingLog();
    copy.restore(JSON.parse(JSON.stringify(log.state())));

    expect(copy.status).toEqual(log.status);
    expect([...copy.rows.keys()]).toEqual([800, 999, 1000]);
    expect([copy.lastEpochRow, copy.previousRow, copy.currentRow]).toEqual([
      { cost: 400 },
      { cost: 499.5 },
      { cost: 500 },
    ]);
  });

  test('keeps values that JSON does not have', () => {
    const log = new TrainingLog();
    Object.assign(log.currentRow, {
      a: Number.NaN,
      b: -Infinity,
      c: -0,
      d: [1, [Number.NaN]],
      e: null,
      f: 'text',
      g: true,
    });
    const copy = new TrainingLog();
    copy.restore(JSON.parse(JSON.stringify(log.state())));

    expect(copy.currentRow).toEqual(log.currentRow);
    expect(Object.is(copy.currentRow['c'], -0)).toBe(true);
  });

  test('does not change with the log', () => {
    const log = logAt(1);
    const state = log.state();
    const before = JSON.stringify(state);
    log.currentRow['cost'] = 9;
    log.status.epochsDone = 4;

    expect(JSON.stringify(state)).toBe(before);
  });

  test('of a row that was handed out does not make it be handed out again', () => {
    const log = new TrainingLog();
    const heard: number[] = [];
    log.onRow((time) => heard.push(time));
    log.restore(logAt(3).state());
    log.complete(2);
    log.complete(3);

    expect(heard).toEqual([3]);
  });

  test('of a build that knew no way back from the end is taken back all the same', () => {
    const log = logAt(2);
    log.finish();
    const { beforeEnd: _, ...before } = log.state() as { beforeEnd?: unknown; version: number };
    const copy = new TrainingLog();
    copy.restore({ ...before, version: 2 });
    copy.reopen();

    expect(copy.status.trainingFinished).toBe(false);
    expect(copy.currentRow).toEqual({ cost: 1 });
  });

  test('1.14-02: goes on in the same log, unless that goes on as another one, whose parent it is', () => {
    const log = logAt(2);
    const [copy, fork] = [new TrainingLog(), new TrainingLog()];
    copy.restore(log.state());
    fork.restore(log.state());
    fork.resume();

    expect(log.uuid).toMatch(/^[0-9a-f]{32}$/);
    expect(copy.uuid).toBe(log.uuid);
    expect(copy.status.resumedFrom).toBe(null);
    expect(fork.uuid).not.toBe(log.uuid);
    expect(fork.status).toMatchObject({ resumedFrom: log.uuid, resumedAt: 2 });
  });

  test('that is damaged is refused', () => {
    expect(() => new TrainingLog().restore({ version: 1, status: {}, rows: {} })).toThrow(StateMismatch);
    expect(() => new TrainingLog().restore({ version: 1, status: { iterationsDone: 1 }, rows: { 0: 5 } })).toThrow(
      StateMismatch,
    );
    expect(() => new TrainingLog().restore({ version: 9, kind: 'TrainingLog' })).toThrow('this build reads 1..4');
  });
});

test('only the newest rows stay in memory, and those that are needed', () => {
  const log = new TrainingLog({ rowsKept: 10 });
  log.row(0)['cost'] = 1;
  log.status.epochEnds = [0];
  for (let step = 1; step <= 100; step += 1) {
    log.status.iterationsDone = step;
    log.currentRow['cost'] = step;
  }

  expect(log.rows.size).toBeLessThanOrEqual(13);
  expect(log.lastEpochRow).toEqual({ cost: 1 });
  expect([log.previousRow, log.currentRow]).toEqual([{ cost: 99 }, { cost: 100 }]);
});
