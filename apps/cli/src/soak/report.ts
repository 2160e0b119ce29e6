import type { FiredFault } from '@longrun/serialization';

import { duration } from '../output/amounts.js';
import { table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import type { Done } from './chaos.js';

/** What `<state>/soak/soak.json` holds. */
export interface SoakFacts {
  readonly version: 1;
  readonly passed: boolean;
  readonly seed: number;
  readonly startedAt: string;
  readonly totalSeconds: number;
  /** What was not as it must be; empty when `passed`. */
  readonly problems: readonly string[];
  readonly disasters: readonly Done[];
  /** Faults that fired at fault points. */
  readonly faults: readonly FiredFault[];
  readonly experiments: readonly {
    readonly id: string;
    readonly status: string;
    readonly parametersSha256: string | null;
    readonly logRows: number;
    readonly attempts: readonly {
      readonly fence: number;
      readonly reason: string | null;
      readonly startStep: number | null;
      readonly lastStep: number | null;
    }[];
    readonly problems: readonly string[];
  }[];
}

/** What was done, what came of it, and what is wrong. */
export function saySoak(terminal: Terminal, facts: SoakFacts): void {
  const hit = facts.disasters.filter(({ pid }) => pid !== null);
  const counts = new Map<string, number>();
  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  for (const { disaster } of hit)
    count(
      disaster.kind === 'flush'
        ? 'FLUSHALL of redis'
        : `${disaster.kind === 'kill' ? 'SIGKILL' : 'SIGSTOP'} of ${disaster.victim}`,
    );
  for (const { fault, point } of facts.faults) count(`${fault.includes('=kill') ? 'death' : 'full disk'} at ${point}`);
  for (const { attempts } of facts.experiments) for (const { reason } of attempts) count(`attempt ended: ${reason}`);
  const rows = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([what, times]) => [what, String(times)]);
  terminal.print(table(['what', 'times'], rows, { right: ['times'] }));
  const right = facts.experiments.filter(({ problems }) => problems.length === 0).length;
  terminal.print('');
  for (const problem of facts.problems) terminal.print(terminal.style('red', `✗ ${problem}`));
  const mark = facts.passed ? terminal.style('green', '✓') : terminal.style('red', '✗');
  terminal.print(
    `${mark} ${right} of ${facts.experiments.length} experiments ended like the undisturbed one, after ${hit.length} disasters and ` +
      `${facts.faults.length} faults in ${duration(facts.totalSeconds * 1000)}; seed ${facts.seed}`,
  );
}
