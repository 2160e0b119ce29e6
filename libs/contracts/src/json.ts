import { z } from 'zod';

import { rule } from './rule.js';

/** What JSON can say. `readonly`, so that literals and frozen values fit. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Text that PostgreSQL and UTF-8 can store: no NUL character and no half of a surrogate pair. */
export const StorableText = z
  .string()
  .refine(isStorable, rule('a NUL character or a lone surrogate cannot be stored', 'remove it'));

/** Any JSON value with finite numbers and storable strings. */
export const Json: z.ZodType<Json, Json> = z.lazy(() =>
  z.union([z.null(), z.boolean(), z.number(), StorableText, z.array(Json), z.record(StorableText, Json)]),
);

/** A JSON object. */
export const JsonObject = z.record(StorableText, Json);
export type JsonObject = Readonly<Record<string, Json>>;

/** The text with every character that {@link StorableText} refuses replaced by U+FFFD. */
export function storableText(text: string): string {
  return isStorable(text) ? text : text.replace(unstorable, '\uFFFD');
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
const unstorable = new RegExp(`\0|${LONE_SURROGATE.source}`, 'g');

function isStorable(text: string): boolean {
  return !text.includes('\0') && !LONE_SURROGATE.test(text);
}
