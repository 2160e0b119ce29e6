import { expect, test } from 'vitest';

import { StateKind } from '../state-kind.js';
import { countIn, type VersionedState } from '../state.js';
import { assertResumable, NotResumable } from './assert-resumable.js';
import { cycle } from './cycle.js';
import { map } from './map.js';
import { range } from './range.js';

const COUNTER = new StateKind('Counter');

/** Counts to 4, right in every way; what is broken is given to it. */
class Counter {
  at = 0;

  next(): unknown {
    if (this.at === 4) return { done: true, value: undefined };
    this.at += 1;
    return { done: false, value: this.at };
  }

  state(): VersionedState {
    return { ...COUNTER.head, at: this.at };
  }

  restore(state: VersionedState): void {
    COUNTER.read(state);
    this.at = countIn('Counter', state, 'at');
  }
}

test('what can be resumed passes, without end too', async () => {
  await assertResumable(() => new Counter());
  await assertResumable(() => map((x: number) => x * x, cycle(range(3))), { steps: 20 });
});

let built = 0;

test.each([
  [
    'forgets its position',
    class extends Counter {
      override restore(state: VersionedState): void {
        COUNTER.read(state);
      }
    },
    'restored before step 1, its state is {"version":1,"kind":"Counter","at":0}, but {"version":1,"kind":"Counter","at":1} was saved',
  ],
  [
    'goes on one too late after a restore',
    class extends Counter {
      #skipped = false;
      override next(): unknown {
        if (this.#skipped) super.next();
        this.#skipped = false;
        return super.next();
      }
      override restore(state: VersionedState): void {
        super.restore(state);
        this.#skipped = this.at === 2;
      }
    },
    /restored before step 2, it goes on otherwise: step 2 gave .* value: 4 .* but .* value: 3 .* without/,
  ],
  [
    'keeps something beside its state',
    class extends Counter {
      #total = 0;
      override next(): unknown {
        this.#total += 1;
        return { total: this.#total, step: super.next() };
      }
    },
    /before step 1, it goes on otherwise: step 1 gave { total: 1,.* but { total: 2,/,
  ],
  [
    'cannot be taken back',
    class extends Counter {
      #ended = false;
      override next(): unknown {
        if (this.at === 4) this.#ended = true;
        return this.#ended ? undefined : super.next();
      }
    },
    /taken back to step 0 from the end, it goes on otherwise: step 0 gave undefined/,
  ],
  [
    'keeps what it has read ahead when it is taken back',
    class extends Counter {
      #ahead: unknown[] = [];
      override next(): unknown {
        if (this.#ahead.length === 0) this.#ahead = [1, 2].map((more) => this.at + more);
        const item = this.#ahead.shift();
        return this.at === 4 ? undefined : [item, super.next()];
      }
    },
    /taken back to step 1 from the end|taken back to step 0 from the one after it, it goes on otherwise: step 0 gave/,
  ],
  [
    'moves when its state is taken',
    class extends Counter {
      override state(): VersionedState {
        super.next();
        return super.state();
      }
    },
    /taking the state changed what comes next: step 0 gave .* value: 2 /,
  ],
  [
    'goes on writing into its state',
    class extends Counter {
      readonly #state = { ...COUNTER.head, at: 0 };
      override state(): VersionedState {
        this.#state.at = this.at;
        return this.#state;
      }
    },
    'the state that was taken before step 0 was changed by later steps, from {"version":1,"kind":"Counter","at":0} to {"version":1,"kind":"Counter","at":4}',
  ],
  [
    'keeps the state that it is given',
    class extends Counter {
      #kept: { at: number } | undefined;
      override next(): unknown {
        if (this.#kept) this.#kept.at += 1;
        return super.next();
      }
      override restore(state: VersionedState): void {
        super.restore(state);
        this.#kept ??= state as VersionedState & { at: number };
      }
    },
    'the state restored before step 0 was changed afterwards',
  ],
  [
    'has a state that JSON has not',
    class extends Counter {
      override state(): VersionedState {
        return { ...super.state(), loss: Number.NaN };
      }
    },
    /the state before step 0 does not come back from JSON as it is: .*NaN/,
  ],
  [
    'takes a state of any version',
    class extends Counter {
      override restore(state: VersionedState): void {
        this.at = countIn('Counter', state, 'at');
      }
    },
    'a state of version 2147483648 was restored before step 0; let restore() read it by a StateKind first',
  ],
  [
    'takes a state half before it refuses it',
    class extends Counter {
      override restore(state: VersionedState): void {
        this.at = 0;
        super.restore(state);
      }
    },
    'refusing a newer state before step 1, its state is {"version":1,"kind":"Counter","at":0}',
  ],
  [
    'is another one each time',
    class extends Counter {
      constructor() {
        super();
        built += 1;
        this.at = built % 2;
      }
    },
    /one that make\(\) builds anew does not give the same; build it afresh each time: step 0/,
  ],
  [
    'begins its next epoch where the last one ended',
    class extends Counter {
      #begin = 0;
      override next(): unknown {
        const step = this.at === 4 ? undefined : super.next();
        return step && { step, begin: this.#begin };
      }
      nextEpoch(): void {
        this.#begin = 1;
        this.at = 1;
      }
    },
    /before step 6, it goes on otherwise: step 6 gave .*begin: 0 }, but .*begin: 1 } without/,
  ],
])('one that %s does not', async (_, Broken, message) => {
  await expect(assertResumable(() => new Broken())).rejects.toThrow(NotResumable);
  await expect(assertResumable(() => new Broken())).rejects.toThrow(message);
});

test('epochs are begun after each end but the last, and everything that was built is closed', async () => {
  let open = 0;
  let epochs = 0;
  class Stream extends Counter {
    constructor() {
      super();
      open += 1;
    }
    async nextEpoch(): Promise<void> {
      epochs += 1;
      this.at = 0;
    }
    async close(): Promise<void> {
      open -= 1;
    }
  }

  await assertResumable(() => new Stream(), { epochs: 3 });

  expect(epochs).toBeGreaterThan(0);
  expect(open).toBe(0);
});

test('no step is no test', async () => {
  await expect(assertResumable(() => new Counter(), { steps: 0 })).rejects.toThrow(
    'assertResumable: steps is 0; give a whole number of at least 1',
  );
});
