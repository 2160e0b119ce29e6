import { z } from 'zod';

/** The file descriptor, in a child that a worker supervises, on which it and the worker speak: one line of JSON for each message. */
export const MESSAGES_FD = 3;

/** The file descriptor, in a child that a worker supervises, on which its watchdog and the worker speak: one line of JSON each. */
export const SIGNS_FD = 4;

/** Pause between two beats of a child's watchdog, in ms. */
export const BEAT_EVERY_MS = 250;

/** Where a child stands, as its watchdog finds it. */
export const Whereabouts = z.object({
  type: z.literal('whereabouts'),
  /** What it said last that it does: `callback afterBatch of Printing`. */
  place: z.string().max(200),
  /**
   * `in_code`: the stack was taken. `idle`: its event loop turns, and there is no code to take a stack of. `no_answer`: it is
   * in a native call, as no JavaScript can be reached.
   */
  found: z.enum(['in_code', 'idle', 'no_answer']),
  /** The stack, innermost first: `at step (file:///programs/mlp.js:12:5)`. */
  frames: z.array(z.string().max(200)).max(20),
  /** What its event loop has open: `Timeout`, `TCPSocketWrap`. */
  awaits: z.array(z.string().max(60)).max(20),
});
export type Whereabouts = z.infer<typeof Whereabouts>;

/** What the watchdog of a child says. */
export const ChildSign = z.discriminatedUnion('type', [
  /** Said in even pauses, whatever the child does: only that the process is not suspended follows from it. */
  z.object({
    type: z.literal('beat'),
    /** Signs of progress so far: it moves while this changes. */
    moves: z.number(),
    /** Steps done in this process. */
    steps: z.number(),
  }),
  Whereabouts,
]);
export type ChildSign = z.infer<typeof ChildSign>;

/** What a worker asks of the watchdog of its child: where the child stands. */
export const WHEREABOUTS_QUESTION = 'where';
