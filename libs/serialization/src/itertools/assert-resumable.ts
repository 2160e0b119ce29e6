import { inspect, isDeepStrictEqual } from 'node:util';

import { NewerState, type Stateful, type VersionedState } from '../state.js';
import { checkWhole } from './itertool.js';

/** What can be asked for one item after another: a {@link StatefulIterator}, a data stream. */
export interface Resumable extends Stateful {
  /** The next item, in the form that says the end, too. */
  next(): unknown;
  /** Starts the following epoch after an end. */
  nextEpoch?(): void | Promise<void>;
  /** Lets go of files. */
  close?(): void | Promise<void>;
}

/** How much is tried. */
export interface AssertResumableOptions {
  /** Steps that are taken at most, the ends among them. Every one is a cut, so that the work grows with the square. Default 100. */
  readonly steps?: number;
  /** Ends that are passed, each followed by the next epoch where there are epochs, else asked for again. Default 2. */
  readonly epochs?: number;
}

/** Something does not do after `restore` what it would have done without. */
export class NotResumable extends Error {
  override readonly name = 'NotResumable';
}

/**
 * Asserts that what `make` builds can be saved and restored at every step, as {@link Stateful} promises; to be run on pipelines of one's
 * own in their tests.
 *
 * At each step, across the end of an epoch and after the last, the state is taken, passed through JSON, and restored: into one
 * that is freshly built, into another one from the state that this has, and into one that has gone on, by a step and to the end.
 * Each gives the rest that the uncut one gave. States must not change with later steps, nor steps by taking states, and a
 * state of a version to come must be refused without a change.
 *
 * @param make builds the same thing each time, from the beginning, independent of those before
 *
 * @throws NotResumable at the first difference, naming the step, what was expected, and what came
 */
export async function assertResumable(make: Make, options: AssertResumableOptions = {}): Promise<void> {
  const { steps = 100, epochs = 2 } = options;
  checkWhole('assertResumable', 'steps', steps, 1);
  checkWhole('assertResumable', 'epochs', epochs, 1);
  const uncut = await withNew(make, (resumable) => record(resumable, steps, epochs));
  await withNew(make, (another) => compare(another, uncut, 0, OTHERWISE));
  const cuts = await withNew(make, (watched) => takeStates(watched, uncut));
  for (const { at, state, text } of cuts) {
    if (JSON.stringify(state) === text) continue;
    throw new NotResumable(
      `assertResumable: the state that was taken before step ${at} was changed by later steps, from ${text} to ${JSON.stringify(state)}; ` +
        'let state() give a fresh object',
    );
  }
  for (const cut of cuts) await tryCut(cut, uncut, make);
  await withNew(make, (resumable) => takeBack(resumable, cuts, uncut));
}

const OTHERWISE = 'one that make() builds anew does not give the same; build it afresh each time';

type Make = () => Resumable | Promise<Resumable>;

/** What was done at a step, and what came of it. */
interface Step {
  readonly action: 'next' | 'nextEpoch';
  readonly result: unknown;
}

/** A state, taken before a step. */
interface Cut {
  readonly at: number;
  readonly state: VersionedState;
  readonly text: string;
}

async function withNew<T>(make: Make, use: (resumable: Resumable) => Promise<T>): Promise<T> {
  const resumable = await make();
  try {
    return await use(resumable);
  } finally {
    await resumable.close?.();
  }
}

async function takeStates(resumable: Resumable, uncut: readonly Step[]): Promise<readonly Cut[]> {
  const cuts: Cut[] = [];
  for (let at = 0; at <= uncut.length; at += 1) {
    const state = resumable.state();
    cuts.push({ at, state, text: JSON.stringify(checked(state, at)) });
    await compare(resumable, uncut.slice(at, at + 1), at, 'taking the state changed what comes next');
  }
  return cuts;
}

async function record(resumable: Resumable, steps: number, epochs: number): Promise<readonly Step[]> {
  const course: Step[] = [];
  let ends = 0;
  while (course.length < steps && ends < epochs) {
    const result = await resumable.next();
    course.push({ action: 'next', result });
    if (!isEnd(result)) continue;
    ends += 1;
    if (resumable.nextEpoch === undefined || ends === epochs || course.length === steps) continue;
    course.push({ action: 'nextEpoch', result: await resumable.nextEpoch() });
  }
  return course;
}

async function compare(resumable: Resumable, course: readonly Step[], from: number, fault: string): Promise<void> {
  for (const [index, { action, result }] of course.entries()) {
    const came = action === 'next' ? await resumable.next() : await resumable.nextEpoch?.();
    if (isDeepStrictEqual(came, result)) continue;
    throw new NotResumable(
      `assertResumable: ${fault}: step ${from + index} gave ${shown(came)}, but ${shown(result)} without`,
    );
  }
}

async function tryCut({ at, text }: Cut, uncut: readonly Step[], make: Make): Promise<void> {
  const rest = uncut.slice(at);
  const saved: VersionedState = JSON.parse(text);
  const again = await withNew(make, async (resumed) => {
    resumed.restore(saved);
    sameState(resumed, text, `restored before step ${at}`);
    const state: VersionedState = JSON.parse(JSON.stringify(resumed.state()));
    await compare(resumed, rest, at, `restored before step ${at}, it goes on otherwise`);
    return state;
  });
  await withNew(make, async (resumed) => {
    resumed.restore(again);
    refusesNewer(resumed, text, at);
    await compare(resumed, rest, at, `saved and restored twice in a row before step ${at}, it goes on otherwise`);
  });
  if (JSON.stringify(saved) === text) return;
  throw new NotResumable(
    `assertResumable: the state restored before step ${at} was changed afterwards, from ${text} to ${JSON.stringify(saved)}; let restore() copy what it keeps`,
  );
}

async function takeBack(resumable: Resumable, cuts: readonly Cut[], uncut: readonly Step[]): Promise<void> {
  await compare(resumable, uncut, 0, OTHERWISE);
  for (const { at, text } of cuts) {
    resumable.restore(JSON.parse(text));
    const [next, rest] = [uncut.slice(at, at + 1), uncut.slice(at)];
    await compare(resumable, next, at, `taken back to step ${at} from the end, it goes on otherwise`);
    resumable.restore(JSON.parse(text));
    await compare(resumable, rest, at, `taken back to step ${at} from the one after it, it goes on otherwise`);
  }
}

function refusesNewer(resumable: Resumable, text: string, at: number): void {
  try {
    resumable.restore({ ...JSON.parse(text), version: NEWER });
  } catch (error) {
    if (!(error instanceof NewerState)) {
      throw new NotResumable(
        `assertResumable: a state of version ${NEWER} was refused before step ${at}, but not with NewerState; read the state by a StateKind first`,
        { cause: error },
      );
    }
    return sameState(resumable, text, `refusing a newer state before step ${at}`);
  }
  throw new NotResumable(
    `assertResumable: a state of version ${NEWER} was restored before step ${at}; let restore() read it by a StateKind first`,
  );
}

const NEWER = 2 ** 31;

function sameState(resumable: Resumable, text: string, when: string): void {
  const state = resumable.state();
  if (isDeepStrictEqual(state, JSON.parse(text))) return;
  throw new NotResumable(`assertResumable: ${when}, its state is ${JSON.stringify(state)}, but ${text} was saved`);
}

/** A state that JSON carries without loss. */
function checked(state: VersionedState, at: number): VersionedState {
  if (isDeepStrictEqual(JSON.parse(JSON.stringify(state)), state)) return state;
  throw new NotResumable(
    `assertResumable: the state before step ${at} does not come back from JSON as it is: ${shown(state)}; ` +
      'give finite numbers, strings, true, false, null, lists and plain objects',
  );
}

function isEnd(result: unknown): boolean {
  return (
    result === undefined || (typeof result === 'object' && result !== null && 'done' in result && result.done === true)
  );
}

function shown(value: unknown): string {
  return inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 20, maxStringLength: 200 });
}
