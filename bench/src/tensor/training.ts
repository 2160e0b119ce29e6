import { join } from 'node:path';
import { trainerEnvironment } from '@longrun/platform/processes';
import { Contestant } from '../contestant.js';
import { checkout } from '../report.js';
import { BATCH_SIZE, EPSILON, LEARNING_RATE } from './network.js';

/** Blocks of steps of each contestant, in turn; one more before them counts for nothing. */
const ROUNDS = 11;
/** After so many steps all have the same cost, but for a part of it. Soon after, the last bits lead each elsewhere. */
const AGREEMENT = { steps: 5, part: 1e-4 };

/** A program, and how it is run. */
export interface Setting {
  /** `longrun` or the peer, with how that is run. */
  readonly program: string;
  readonly threads: number;
  /** Whether its memory is that of a worker's trainers, or else the C library's default. */
  readonly isTuned: boolean;
}

/** What the steps of one took. */
export interface Trained extends Setting {
  /** Of one step, on average, for each round. */
  readonly ms: number[];
  /** At the end of each round. */
  readonly costs: number[];
}

/** Trains with each setting in turn, in processes of their own, which `begin` starts; resolves with what each took, and the version of PyTorch. */
export async function training(
  begin: (setting: Setting) => ReturnType<typeof Contestant.start>,
  settings: readonly Setting[],
  steps: number,
): Promise<{ readonly trained: readonly Trained[]; readonly torch: string }> {
  const contestants: { readonly contestant: Contestant; readonly trained: Trained }[] = [];
  let torch: unknown;
  try {
    for (const setting of settings) {
      const { contestant, hello } = await begin(setting);
      contestants.push({ contestant, trained: { ...setting, ms: [], costs: [] } });
      torch ??= hello['torch'];
    }
    await agree(contestants);
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const { contestant, trained } of contestants) {
        const { seconds, cost } = await train(contestant, steps);
        if (round === 0) continue;
        trained.ms.push((1000 * seconds) / steps);
        trained.costs.push(cost);
      }
    }
  } finally {
    for (const { contestant } of contestants) contestant.stop();
  }
  return { trained: contestants.map(({ trained }) => trained), torch: String(torch) };
}

/** Starts our side; `hello` has what compiling took, in ms. */
export async function beginOurs(
  start: string,
  setting: Pick<Setting, 'threads' | 'isTuned'>,
): ReturnType<typeof Contestant.start> {
  const args = [join(checkout, 'bench/dist/tensor/ours.js'), '--start', start, '--threads', String(setting.threads)];
  return await Contestant.start('longrun', process.execPath, args, environment(setting));
}

/** Starts either side of the MLP. */
export async function beginMlp(python: string, start: string, setting: Setting): ReturnType<typeof Contestant.start> {
  const { program, threads } = setting;
  if (program === 'longrun') return await beginOurs(start, setting);
  const args = [join(checkout, 'bench/peers/compiled_step.py'), '--start', start, '--threads', String(threads)];
  args.push('--batch-size', String(BATCH_SIZE), '--learning-rate', String(LEARNING_RATE), '--epsilon', String(EPSILON));
  if (program === 'PyTorch, fused Adam') args.push('--fused');
  return await Contestant.start(program, python, args, { ...environment(setting), OMP_NUM_THREADS: String(threads) });
}

/** What is undefined is not set, whatever this process has. */
export function environment({ isTuned }: Pick<Setting, 'isTuned'>): NodeJS.ProcessEnv {
  const tuned = trainerEnvironment({});
  return isTuned ? tuned : Object.fromEntries(Object.keys(tuned).map((name) => [name, undefined]));
}

/** Has all do their first steps, which count for nothing else. @throws Error when they come to different costs: then they do not do the same */
async function agree(
  contestants: readonly { readonly contestant: Contestant; readonly trained: Trained }[],
): Promise<void> {
  const costs = new Map<string, number>();
  for (const { contestant, trained } of contestants) {
    const { cost } = await train(contestant, AGREEMENT.steps);
    costs.set(`${trained.program}, ${trained.threads} threads`, cost);
  }
  const [least, most] = [Math.min(...costs.values()), Math.max(...costs.values())];
  // Written so that NaN does not agree.
  if (most - least <= AGREEMENT.part * least) return;
  const found = [...costs].map(([who, cost]) => `${who}: ${cost}`).join('; ');
  throw new Error(
    `After ${AGREEMENT.steps} steps all should have the same cost, up to ${AGREEMENT.part} of it, but: ${found}`,
  );
}

async function train(contestant: Contestant, steps: number): Promise<{ seconds: number; cost: number }> {
  const { seconds, cost } = await contestant.ask({ do: 'train', steps });
  if (seconds === undefined || cost === undefined || !Number.isFinite(cost)) {
    throw new Error(`${contestant.name}: expected {seconds, cost}, finite, but got seconds ${seconds}, cost ${cost}`);
  }
  return { seconds, cost };
}
