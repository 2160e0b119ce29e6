import type { LogEntry } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { differences, type Ending, gonesBack } from './verdict.js';

const EPOCHS = { examples: 3, epochs: 2 };
const NONE = { lost: 0, repeated: 0, changed: 0, files: 0 };

const undisturbed: Ending = {
  rows: [row(1, 0, 2), row(1, 0, 0), row(2, 0, 1), row(3, 1, 1), row(3, 1, 2), row(4, 1, 0)],
  files: { parameters: 'a', state: 'b' },
};

test('a run as the undisturbed one does not differ', () => {
  expect(differences(structuredClone(undisturbed), undisturbed, EPOCHS)).toEqual(NONE);
});

test('what is lost of an epoch is found, also where the undisturbed run has lost the same', () => {
  const rows = undisturbed.rows.toSpliced(3, 1);
  const short = { ...undisturbed, rows };
  expect(differences(short, undisturbed, EPOCHS)).toMatchObject({ lost: 1, repeated: 0 });
  expect(differences(short, short, EPOCHS)).toEqual({ ...NONE, lost: 1 });
});

test('what comes once more is found, and what is lost beside it', () => {
  const rows = undisturbed.rows.toSpliced(2, 1, row(2, 0, 0));
  expect(differences({ ...undisturbed, rows }, undisturbed, EPOCHS)).toEqual({
    lost: 1,
    repeated: 1,
    changed: 1,
    files: 0,
  });
  const twice = [...undisturbed.rows, row(4, 1, 0), row(4, 1, 0)];
  expect(differences({ ...undisturbed, rows: twice }, undisturbed, EPOCHS)).toMatchObject({ repeated: 2, changed: 2 });
});

test('another order, other bytes of a batch and other bytes of a file are found', () => {
  const [first, second, ...rest] = undisturbed.rows;
  const swapped = [second, first, ...rest].filter((one) => one !== undefined);
  expect(differences({ ...undisturbed, rows: swapped }, undisturbed, EPOCHS)).toEqual({ ...NONE, changed: 2 });
  const bytes = undisturbed.rows.with(5, row(4, 1, 0, 'other'));
  expect(differences({ ...undisturbed, rows: bytes }, undisturbed, EPOCHS)).toEqual({ ...NONE, changed: 1 });
  const files = { parameters: 'c', state: 'b', more: 'd' };
  expect(differences({ ...undisturbed, files }, undisturbed, EPOCHS)).toEqual({ ...NONE, files: 2 });
});

test('an attempt that goes on from before an acknowledged commit is found, though it does the same again', () => {
  const first = { fence: 1, restored: 0, committed: 8 };
  const starting = { fence: 2, restored: undefined, committed: 0 };
  expect(gonesBack([first, starting, { fence: 3, restored: 8, committed: 9 }])).toBe(0);
  // One of which the answer was lost.
  expect(gonesBack([first, starting, { fence: 3, restored: 10, committed: 12 }])).toBe(0);
  expect(gonesBack([first, starting, { fence: 3, restored: 6, committed: 12 }])).toBe(1);
  // What is acknowledged later is that of a later fence.
  expect(gonesBack([{ fence: 1, restored: 0, committed: 2 }, first])).toBe(0);
});

function row(step: number, epoch: number, example: number, batch = `batch ${step}`): LogEntry {
  return { step, row: { epoch, example, batch } };
}
