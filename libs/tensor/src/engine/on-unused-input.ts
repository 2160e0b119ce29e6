export const ON_UNUSED_INPUT = ['raise', 'ignore'] as const;

/** What `compile` does with an input that nothing depends on. */
export type OnUnusedInput = (typeof ON_UNUSED_INPUT)[number];
