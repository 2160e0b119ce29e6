import type { StoredCheckpointSummary } from '@longrun/contracts';

type Hold = StoredCheckpointSummary['holds'][number];

/** Who holds a checkpoint besides its pin, as a line has room for: `fork exp_1`, `3 downloads until 2026-01-01T00:10:00Z`; of several of one kind the number. */
export function holdersText(holds: readonly Hold[]): readonly string[] {
  const kinds = new Map<string, Hold[]>();
  for (const hold of holds) {
    const [kind = hold.name] = hold.name.split(' ');
    if (!isPin(hold)) kinds.set(kind, [...(kinds.get(kind) ?? []), hold]);
  }
  return [...kinds].map(([kind, held]) => {
    const [first] = held;
    const who = held.length === 1 && first !== undefined ? first.name : `${held.length} ${kind}s`;
    const until = lastOf(held);
    return until === null ? who : `${who} until ${until}`;
  });
}

/** Whether a hold is that of a person. */
export function isPin({ name }: Hold): boolean {
  return name === 'pin';
}

/** When the last of them passes, in whole seconds; null where one never does. */
function lastOf(holds: readonly Hold[]): string | null {
  let lastMs = 0;
  for (const { until } of holds) {
    if (until === null) return null;
    lastMs = Math.max(lastMs, Date.parse(until));
  }
  return new Date(lastMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
