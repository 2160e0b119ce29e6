import { boundRow, median, type Row } from '../report.js';
import type { SavedInTraining } from './saving-in-training.js';
import type { Round } from './watched-training.js';

/** How often a checkpoint is made, for the share that it takes. */
const CHECKPOINT_EVERY_MS = 30_000;

/** What saves cost a training, beside what they cost the peer that they cost less. */
export function trainingRows(size: string, { ours, peers }: SavedInTraining): Row[] {
  const cost = costOf(ours);
  const others = [...peers]
    .filter(([, rounds]) => rounds.length > 0)
    .map(([by, rounds]) => [by, costOf(rounds)] as const);
  const row = (what: string, unit: string, figure: (cost: CostOfSaves) => readonly number[], bound: number): Row => {
    const [best] = others
      .map(([by, other]) => ({ by, values: figure(other) }))
      .toSorted((one, other) => median(one.values) - median(other.values));
    const peer = best === undefined ? 'no peer: torch of Python is missing' : `peer: async_save of DCP by ${best.by}`;
    return boundRow(`${size} saved in training, ${what}; ${peer}`, unit, figure(cost), best?.values ?? null, bound);
  };
  return [
    row('next step held up by the snapshot', 'ms', ({ blocked }) => blocked, 10),
    row('longest step until committed, above the median', 'ms', ({ stall }) => stall, 20),
    boundRow(`${size} saved in training, longest time between two steps`, 'ms', cost.between, null, 20),
    row('every 30 s, steps longer by', '%', ({ percent }) => percent, 3.5),
  ];
}

interface CostOfSaves {
  /** For how long each snapshot kept the next step from starting, in ms. */
  readonly blocked: readonly number[];
  /** The longest step of each save less an undisturbed one, in ms. */
  readonly stall: readonly number[];
  /** The longest of each save that training was between two steps, in ms; of a peer there is none. */
  readonly between: readonly number[];
  /** The time that each save added to its steps, in percent of the time between two checkpoints. */
  readonly percent: readonly number[];
}

function costOf(rounds: readonly Round[]): CostOfSaves {
  const step = median(rounds.flatMap(({ undisturbed }) => undisturbed));
  return {
    blocked: rounds.map(({ blocked }) => blocked),
    stall: rounds.map(({ disturbed }) => Math.max(...disturbed) - step),
    between: rounds.flatMap(({ between }) => between ?? []),
    percent: rounds.map(({ disturbed }) => {
      const added = disturbed.reduce((sum, time) => sum + time - step, 0);
      return (100 * added) / CHECKPOINT_EVERY_MS;
    }),
  };
}
