import type { Json, VersionedState } from '@longrun/serialization';

import type { SentColumns } from './movable.js';

/** What makes a stream: a function that a module exports, which is called with a value in each thread that needs the stream. */
export interface StreamFactory {
  /** URL of a module that imports nothing of the thread that starts it: of a program, its own `import.meta.url`. */
  readonly module: string;
  /** Name of the export: a function of one argument that gives the stream, or a promise of it. The same argument always makes the same stream. */
  readonly factory: string;
  readonly argument: Json;
}

/** What a thread is started with. */
export interface ThreadStart extends StreamFactory {
  /** How many batches it may be ahead. */
  readonly ahead: number;
}

/** What a thread is told. A `course` is one way through the data; what is still said of an earlier one is dropped. */
export type ToThread =
  | { readonly go: 'on'; readonly course: number; readonly from: VersionedState }
  /** A batch was taken. With it comes the memory of those that were released, of whatever course. */
  | { readonly go: 'taken'; readonly course: number; readonly released: readonly ArrayBuffer[] }
  | { readonly go: 'away' };

/** What it says: a batch, that the epoch is over and the state after it, or that it could not go on. Nothing follows the last two in their course. */
export type FromThread =
  | { readonly course: number; readonly is: 'batch'; readonly batch: SentBatch }
  | { readonly course: number; readonly is: 'end'; readonly state: VersionedState }
  | { readonly course: number; readonly is: 'failure' };

export interface SentBatch {
  readonly columns: SentColumns;
  readonly epoch: number;
  readonly index: number;
  /** That after it. */
  readonly state: VersionedState;
}
