import type { Column, DataStream } from '../../src/index.js';

/** What a source holds. */
export type Kind = 'images' | 'numbers' | 'sequences' | 'files' | 'texts';
export const COLUMNS: Readonly<Record<Kind, Column>>;
export const TEXT: string;
export const ONE_BILLION_WORD: string;
export const DATASETS: Readonly<Record<string, { readonly kinds: Partial<Readonly<Record<Kind, string>>> }>>;
export const SCHEMES: Readonly<Record<string, unknown>>;
export const STREAMS: Readonly<Record<string, { readonly kind: Kind }>>;
export function pipeline(options: {
  readonly dataset: string;
  readonly scheme: string | null;
  readonly transformer: string;
  readonly folder: string;
}): Promise<DataStream>;
export function closeAll(): Promise<void>;
