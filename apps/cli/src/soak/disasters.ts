import { FAULT_POINTS, type FaultPoint, isFaultPoint, RandomStreams } from '@longrun/serialization';

import type { ServiceName } from '../stack/stack.js';

/** A process that something is done to: a service of the stack, or the trainer of one of its workers. */
export type Victim = ServiceName | 'trainer' | 'trainer-2';

/** What is done to a running stack. */
export type Disaster =
  | { readonly kind: 'kill'; readonly victim: Victim }
  | { readonly kind: 'stop'; readonly victim: Victim; readonly forMs: number }
  | { readonly kind: 'flush' };

/** A disaster, and how long after the one before it comes. */
export interface Coming {
  readonly afterMs: number;
  readonly disaster: Disaster;
}

/** Draws what happens to a stack from a seed: the same seed, the same disasters in the same order. */
export class Disasters {
  readonly #streams: RandomStreams;

  constructor(seed: number) {
    this.#streams = new RandomStreams(seed);
  }

  /** The next one. */
  draw(): Coming {
    const random = this.#streams.stream('disasters');
    const afterMs = Math.round(-MEAN_PAUSE_MS * Math.log(1 - random.uniform()));
    const share = random.uniform();
    const victim = pick(VICTIMS, random.integer(VICTIMS.length));
    const forMs = Math.round(LONGEST_STOP_MS ** random.uniform());
    if (share < 0.45) return { afterMs, disaster: { kind: 'kill', victim } };
    return { afterMs, disaster: share < 0.85 ? { kind: 'stop', victim, forMs } : { kind: 'flush' } };
  }

  /** What LONGRUN_FAULT_POINTS says to a service at its next start: nothing, a death at a fault point, or a disk that is full there. */
  drawFaults(service: ServiceName): string {
    const points = service === 'api' ? POINTS_OF_API : POINTS_OF_WORKERS;
    const random = this.#streams.stream(`faults of ${service}`);
    const point = pick(points, random.integer(points.length));
    const passage = 1 + random.integer(4);
    const share = random.uniform();
    // So many tries as are made, or more: then the disk is full for the worker, too.
    const full = `${point}=throw:ENOSPC@${passage}-${passage + random.integer(8)}`;
    if (share < 0.4) return '';
    return share < 0.7 ? `${point}=kill@${passage}` : full;
  }

  /** When the experiments are submitted, in shares of the time that there is for it, in order. */
  drawSubmissions(count: number): number[] {
    const random = this.#streams.stream('submissions');
    return Array.from({ length: count }, () => random.uniform()).toSorted((a, b) => a - b);
  }
}

const MEAN_PAUSE_MS = 4_000;
const LONGEST_STOP_MS = 12_000;

/** Those who matter most come most often. */
const VICTIMS: readonly Victim[] = [
  'worker-gpu',
  'worker-gpu-2',
  'worker-gpu',
  'worker-gpu-2',
  'trainer',
  'trainer-2',
  'api',
  'api',
  'redis',
  'fuel-preproc',
];

/** Steps that the API does: it schedules, takes in events and ends what nobody holds. All others are the workers'. */
const STEPS_OF_API: ReadonlySet<string> = new Set(['enqueue', 'ingest', 'end']);
const POINTS = Object.keys(FAULT_POINTS).filter(isFaultPoint);
const POINTS_OF_API = POINTS.filter((point) => STEPS_OF_API.has(stepOf(point)));
const POINTS_OF_WORKERS = POINTS.filter((point) => !STEPS_OF_API.has(stepOf(point)));

function stepOf(point: FaultPoint): string {
  return point.slice(0, point.indexOf('.'));
}

function pick<T>(from: readonly T[], index: number): T {
  const one = from[index];
  if (one === undefined) throw new RangeError(`There are ${from.length} to pick from, and no number ${index}`);
  return one;
}
