/** The files that the checkpoint of a step has in crash tests: one that changes, one that stays. */
export function contentsAt(step: number): Readonly<Record<string, Uint8Array>> {
  return {
    'changing.bin': Buffer.alloc(100_000, `step ${step};`),
    'constant.bin': Buffer.alloc(100_000, 'frozen;'),
  };
}
