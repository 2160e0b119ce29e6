import { boundRow, marginRow, median, plainRow, type Row } from '../report.js';
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
  const named = (what: string): string => `${size} saved in training, ${what}`;
  /** Of the peer that does best. */
  const beside = (
    what: string,
    figure: (cost: CostOfSaves) => readonly number[],
  ): [string, readonly number[] | null] => {
    const [best] = others
      .map(([by, other]) => ({ by, values: figure(other) }))
      .toSorted((one, other) => median(one.values) - median(other.values));
    const peer = best === undefined ? 'no peer: torch of Python is missing' : `peer: async_save of DCP by ${best.by}`;
    return [named(`${what}; ${peer}`), best?.values ?? null];
  };
  const row = (what: string, unit: string, figure: (cost: CostOfSaves) => readonly number[], bound: number): Row => {
    const [name, values] = beside(what, figure);
    return boundRow(name, unit, figure(cost), values, bound);
  };
  const [longest, ofPeer] = beside('longest step until committed, above the median', ({ stall }) => stall);
  return [
    row('next step held up by the snapshot', 'ms', ({ blocked }) => blocked, 10),
    marginRow(
      named('longest step until committed, above the median; peer: of as many steps of ours that nothing disturbs'),
      'ms',
      cost.stall,
      cost.noise,
      20,
    ),
    ...(ofPeer === null ? [] : [plainRow(longest, 'ms', cost.stall, ofPeer)]),
    boundRow(named('longest time between two steps'), 'ms', cost.between, null, 20),
    row('every 30 s, steps longer by', '%', ({ percent }) => percent, 3.5),
  ];
}

interface CostOfSaves {
  /** For how long each snapshot kept the next step from starting, in ms. */
  readonly blocked: readonly number[];
  /** The longest step of each save less an undisturbed one, in ms. */
  readonly stall: readonly number[];
  /** The same of those before each save, which nothing disturbs: what this machine does to a step by itself. */
  readonly noise: readonly number[];
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
    noise: rounds.map(({ undisturbed }) => Math.max(...undisturbed) - step),
    between: rounds.flatMap(({ between }) => between ?? []),
    percent: rounds.map(({ disturbed }) => {
      const added = disturbed.reduce((sum, time) => sum + time - step, 0);
      return (100 * added) / CHECKPOINT_EVERY_MS;
    }),
  };
}
