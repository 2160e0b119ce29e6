import type { FaultPoint, RandomStream } from '@longrun/serialization';

/** A time in the life of a process. */
export interface Moment {
  /** So many commits from now on are acknowledged first. */
  readonly commits: number;
  /** Then this part, 0 to 1, of the time to the next one passes. */
  readonly part: number;
}

/** What is done to a process. */
export interface Strike {
  /** SIGKILL; or SIGSTOP, until a successor has taken its lease. */
  readonly what: 'kill' | 'stop';
  readonly moment: Moment;
  /** Where it does it to itself instead, if it comes there, and at which passage. */
  readonly point?: { readonly name: FaultPoint; readonly passage: number } | undefined;
}

/** Draws what is done to the attempts at a run, from its own stream: the same stream, the same strikes. */
export class Strikes {
  readonly #random: RandomStream;

  constructor(random: RandomStream) {
    this.#random = random;
  }

  next(): Strike {
    const what = this.#random.uniform() < PART_OF_STOPS ? 'stop' : 'kill';
    const moment = this.moment();
    if (this.#random.uniform() >= PART_AT_POINTS) return { what, moment };
    const name = POINTS[this.#random.integer(POINTS.length)] ?? 'lease.read';
    const passage = name.startsWith('commit.') ? 1 + this.#random.integer(MOST_COMMITS) : 1;
    return { what, moment, point: { name, passage } };
  }

  /** One of those that come in any process, whatever it has been started with. */
  moment(): Moment {
    return { commits: this.#random.integer(MOST_COMMITS), part: this.#random.uniform() };
  }
}

/** An attempt passes them that keeps its rows for want of time: it has to be asked to. */
export function isPassedOnRetiring(point: FaultPoint): boolean {
  return point.startsWith('keep-log.');
}

const PART_OF_STOPS = 0.1;
const PART_AT_POINTS = 0.3;
/** So that most of them come when there is a lease to lose. */
const MOST_COMMITS = 5;

/** Those of libs/serialization; who dies at one of an outcome has come to the end of the run. */
const POINTS: readonly FaultPoint[] = [
  'lease.read',
  'lease.claimed',
  'commit.blobs-written',
  'commit.log-written',
  'commit.manifest-written',
  'commit.head-swapped',
  'commit.collected',
  'keep-log.written',
  'keep-log.head-swapped',
  'outcome.decided',
  'outcome.in-head',
];
