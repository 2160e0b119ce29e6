import type { OpProfile, Profile } from '@longrun/tensor';

/** Options of `UpdatesAlgorithm.profile`. */
export interface ProfileOptions {
  /** How many runs to take the average of. Default 10. */
  readonly runs?: number;
}

/** What a brick takes in a run. */
export interface BrickTime {
  /** `/mlp/linear_0`; `(step rule)`; or `(outside of bricks)`, with what the engine made of ops of several. */
  readonly path: string;
  /** Its own ops and their gradients, without those of its children. */
  readonly ownMs: number;
  /** With its children. */
  readonly timeMs: number;
  /** Its own ops, the slowest first. */
  readonly ops: readonly OpProfile[];
}

/** Where the time of a compiled function goes, by brick: forward and back, and the step rule. Prints itself as a table. */
export class BrickProfile {
  /** All of one run, on average. */
  readonly timeMs: number;
  /** How many runs it is the average of. */
  readonly runs: number;
  /** Bricks with their children below them, in the order of their paths, then the rest. */
  readonly bricks: readonly BrickTime[];

  constructor({ ops, runs, timeMs }: Profile) {
    this.runs = runs;
    this.timeMs = timeMs;
    const own = new Map<string, OpProfile[]>();
    for (const op of ops) {
      const path = op.part ?? OUTSIDE;
      own.set(path, [...(own.get(path) ?? []), op]);
      for (const parent of parentsOf(path)) if (!own.has(parent)) own.set(parent, []);
    }
    const paths = [...own.keys()].toSorted(byPlace);
    this.bricks = paths.map((path) => {
      const below = paths.filter((other) => other === path || parentsOf(other).includes(path));
      const ofPath = own.get(path) ?? [];
      return {
        path,
        ownMs: sumOf(ofPath),
        timeMs: sumOf(below.flatMap((other) => own.get(other) ?? [])),
        ops: ofPath,
      };
    });
  }

  toString(): string {
    const rows = this.bricks.map(({ path, ownMs, timeMs, ops }) => {
      const parents = parentsOf(path);
      const label = `${'  '.repeat(parents.length)}${path.slice(parents.at(-1)?.length ?? 0)}`;
      return {
        label,
        timeMs,
        ownMs,
        slowest: ops[0] === undefined ? '' : `${ops[0].op} by ${ops[0].kernels.join(', ')}`,
      };
    });
    const width = Math.max('Brick'.length, ...rows.map(({ label }) => label.length));
    const line = (label: string, time: string, part: string, own: string, slowest: string): string =>
      [label.padEnd(width), time.padStart(10), part.padStart(8), own.padStart(10), '', slowest].join(' ').trimEnd();
    return [
      `${this.timeMs.toFixed(3)} ms a run, on average of ${this.runs}`,
      line('Brick', 'ms', 'of all', 'own ms', 'slowest op of its own'),
      ...rows.map(({ label, timeMs, ownMs, slowest }) =>
        line(
          label,
          timeMs.toFixed(3),
          `${((100 * timeMs) / this.timeMs || 0).toFixed(1)} %`,
          ownMs.toFixed(3),
          slowest,
        ),
      ),
    ].join('\n');
  }
}

const OUTSIDE = '(outside of bricks)';

/** `/mlp` and `/mlp/linear_0` of `/mlp/linear_0/bias`. */
function parentsOf(path: string): string[] {
  if (!path.startsWith('/')) return [];
  const names = path.split('/').slice(1, -1);
  return names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`);
}

/** Bricks by path, and behind them what is no brick. */
function byPlace(a: string, b: string): number {
  const [isBrick, isOther] = [a.startsWith('/'), b.startsWith('/')];
  if (isBrick !== isOther) return isBrick ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function sumOf(ops: readonly OpProfile[]): number {
  return ops.reduce((sum, { timeMs }) => sum + timeMs, 0);
}
