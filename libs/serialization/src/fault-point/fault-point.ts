import { appendFileSync, existsSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

import { assertNever } from '../assert-never.js';
import { type Fault, faultText, InjectedFault, parseFaults } from './fault.js';
import type { FaultPoint } from './points.js';

/**
 * A place in the protocol where a fault can be put in from outside. Nothing happens here, and nothing is waited for, unless one was.
 *
 * @throws InjectedFault where it is to throw
 */
export function faultPoint(point: FaultPoint): Promise<void> | undefined {
  return armed.size === 0 ? undefined : pass(point);
}

/**
 * Arms the faults that an environment names in LONGRUN_FAULT_POINTS, for as long as the process lives. Each that fires is said on
 * stderr and, before it acts, written as a line to the file LONGRUN_FAULT_RECORD, if that is given. A fault that the file has
 * already is not armed again: a process that is started anew after it dies at it once.
 *
 * @param say told loudly, in a sentence, that there are any
 * @throws Error with a sentence when they cannot be read
 */
export function armFaultPoints(
  environment: Readonly<Record<string, string | undefined>>,
  say: (sentence: string) => void,
): void {
  const { LONGRUN_FAULT_POINTS: text = '', LONGRUN_FAULT_RECORD: record = '' } = environment;
  let faults: Fault[];
  try {
    faults = parseFaults(text);
  } catch (error) {
    throw new Error(`LONGRUN_FAULT_POINTS: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const fired = new Set(readFired(record).map(({ fault }) => fault));
  const left = faults.filter((fault) => !fired.has(faultText(fault)));
  if (left.length === 0) return;
  const list = left.map(faultText).join(', ');
  say(`FAULTS ARE ARMED, this process will fail on purpose: ${list}; unset LONGRUN_FAULT_POINTS if it should not`);
  for (const fault of left) {
    const fire = async (passage: number): Promise<void> => {
      note(record, fault, passage);
      await act(fault);
    };
    armed.add(new ArmedFault(fault.point, fault, fire));
  }
}

/** A line of the file LONGRUN_FAULT_RECORD: a fault that fired. */
export interface FiredFault {
  /** As it was written in LONGRUN_FAULT_POINTS, its passages added. */
  readonly fault: string;
  readonly point: FaultPoint;
  readonly passage: number;
  readonly pid: number;
  /** By the wall clock, as ISO 8601. */
  readonly at: string;
}

/** What fired so far, by the file LONGRUN_FAULT_RECORD; nothing where there is no such file. */
export function readFired(record: string): FiredFault[] {
  if (record === '' || !existsSync(record)) return [];
  // Written by the function below, a line at a time.
  return readFileSync(record, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): FiredFault => JSON.parse(line));
}

/** A fault that a test has put into its own process. */
export interface FaultInHand {
  /** Resolves when it has fired. */
  readonly fired: Promise<void>;
  /** Lets what waits at the point go on; with an error, the point throws it. */
  goOn(error?: Error): void;
}

/**
 * Has whoever comes to a point for the nth time in this process wait there, while `work` runs, until it is told to go on.
 *
 * @param passage 1 is the first one from now on
 * @throws Error if nobody had come there by the end of `work`
 */
export async function withFault<T>(
  point: FaultPoint,
  work: (fault: FaultInHand) => Promise<T>,
  passage = 1,
): Promise<T> {
  const gate = newGate<Error | undefined>();
  const arrival = newGate<undefined>();
  const mine = new ArmedFault(point, { fromPassage: passage, toPassage: passage }, async () => {
    arrival.open(undefined);
    const error = await gate.passed;
    if (error !== undefined) throw error;
  });
  armed.add(mine);
  try {
    const result = await work({ fired: arrival.passed.then(() => undefined), goOn: (error) => gate.open(error) });
    if (!mine.hasFired) {
      const times = passage === 1 ? 'came' : `came ${passage} times`;
      throw new Error(`The fault in ${point} has not fired: nobody ${times} there; see that the work passes it`);
    }
    return result;
  } finally {
    armed.delete(mine);
    gate.open(undefined);
  }
}

const armed = new Set<ArmedFault>();

async function pass(point: FaultPoint): Promise<void> {
  for (const fault of armed) if (fault.point === point) await fault.pass();
}

class ArmedFault {
  readonly point: FaultPoint;
  readonly #range: Pick<Fault, 'fromPassage' | 'toPassage'>;
  readonly #fire: (passage: number) => Promise<void>;
  #passages = 0;
  hasFired = false;

  constructor(
    point: FaultPoint,
    range: Pick<Fault, 'fromPassage' | 'toPassage'>,
    fire: (passage: number) => Promise<void>,
  ) {
    this.point = point;
    this.#range = range;
    this.#fire = fire;
  }

  async pass(): Promise<void> {
    this.#passages += 1;
    if (this.#passages < this.#range.fromPassage || this.#passages > this.#range.toPassage) return;
    this.hasFired = true;
    await this.#fire(this.#passages);
  }
}

interface Gate<T> {
  readonly passed: Promise<T>;
  readonly open: (value: T) => void;
}

function newGate<T>(): Gate<T> {
  const gate: { open?: (value: T) => void } = {};
  const passed = new Promise<T>((resolve) => (gate.open = resolve));
  return { passed, open: (value) => gate.open?.(value) };
}

/** Before it acts: what kills cannot be said afterwards. */
function note(record: string, { point, ...fault }: Fault, passage: number): void {
  const text = faultText({ point, ...fault });
  const line: FiredFault = { fault: text, point, passage, pid: process.pid, at: new Date().toISOString() };
  if (record !== '') appendFileSync(record, `${JSON.stringify(line)}\n`);
  writeSync(2, `fault point: ${text} fires in process ${process.pid}, passage ${passage}\n`);
}

async function act({ point, action }: Fault): Promise<void> {
  switch (action.type) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      return await new Promise(() => undefined);
    case 'stop':
      process.kill(process.pid, 'SIGSTOP');
      return undefined;
    case 'throw':
      throw new InjectedFault(point, action.code);
    case 'wait':
      return await appearance(action.file);
    default:
      return assertNever(action, 'fault action');
  }
}

async function appearance(file: string): Promise<void> {
  while (!existsSync(file)) await pause(10);
}
