import type { Json } from '@longrun/serialization';
import type { Memory } from '../arrays/memory.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { DataStream } from './data-stream.js';
import type { Batch } from './delivery.js';

/** What a stream asks of the dataset that it reads. `Dataset`, which makes streams of itself, says what each of them is. */
export interface StreamedDataset {
  readonly sources: readonly string[];
  readonly axisLabels: ReadonlyMap<string, readonly string[]> | null;
  readonly isIndexable: boolean;
  getData(request: Request, into?: Memory): Promise<Batch>;
  identity(): { readonly [key: string]: Json };
  applyDefaultTransformers(stream: DataStream): DataStream;
  retain(): void;
  release(): Promise<void>;
  toString(): string;
}
