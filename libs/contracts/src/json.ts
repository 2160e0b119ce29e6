import { z } from 'zod';

import { rule } from './rule.js';

/** Of what YAML writes as `.nan` or `.inf`, and of what is beyond what a number can be. */
export const NOT_FINITE = 'a number must be finite, and one beyond 1.8e308, such as 1e999, is read as Infinity';

/** What JSON can say. `readonly`, so that literals and frozen values fit. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const UNSTORABLE = rule('a NUL character or a lone surrogate cannot be stored', 'remove it');

/** Text that PostgreSQL and UTF-8 can store: no NUL character and no half of a surrogate pair. */
export const StorableText = z.string().refine(isStorable, UNSTORABLE);

/** Deeper than this, recursive code that reads a value could be driven off its stack. */
const MAX_DEPTH = 1_000;

export const Json: z.ZodType<Json, Json> = z
  .custom<Json>()
  .check((payload) => {
    refuseWhatIsNotJson(payload.value, [], (path, broken, input) => {
      payload.issues.push({ code: 'custom', path: [...path], message: broken.error, params: broken.params, input });
    });
  })
  .meta({ description: 'Any JSON value with finite numbers and storable strings, at most 1,000 levels deep.' });

/** Whether something that was parsed as JSON nests deeper than {@link Json} may: most code that reads it would run off its stack. */
export function nestsTooDeep(json: unknown): boolean {
  let level: readonly object[] = isNest(json) ? [json] : [];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((nest) => Object.values(nest).filter(isNest));
  }
  return false;
}

function isNest(json: unknown): json is object {
  return typeof json === 'object' && json !== null;
}

export const JsonObject = z.record(StorableText, Json).meta({ description: 'A JSON object.' });
export type JsonObject = Readonly<Record<string, Json>>;

/** The text with every character that {@link StorableText} refuses replaced by U+FFFD. */
export function storableText(text: string): string {
  return isStorable(text) ? text : text.replace(unstorable, '\uFFFD');
}

type Refuse = (path: readonly PropertyKey[], broken: ReturnType<typeof rule>, value: unknown) => void;

/** One walk by hand: a union of schemas would try six of them on each value, and keep what each of them says. */
function refuseWhatIsNotJson(value: unknown, path: (string | number)[], refuse: Refuse): void {
  switch (typeof value) {
    case 'boolean':
      return;
    case 'string':
      if (!isStorable(value)) refuse(path, UNSTORABLE, value);
      return;
    case 'number':
      if (!Number.isFinite(value)) refuse(path, GIVE_FINITE, value);
      return;
    case 'object':
      if (value === null) return;
      if (path.length > MAX_DEPTH) refuse(path, TOO_DEEP, null);
      else if (Array.isArray(value)) {
        for (const [index, entry] of value.entries()) inside(index, entry);
      } else if (isPlain(value)) {
        for (const [key, entry] of Object.entries(value)) {
          if (!isStorable(key)) refuse([...path, key], UNSTORABLE, key);
          else if (key === '__proto__') refuse([...path, key], PROTOTYPE, key);
          else inside(key, entry);
        }
      } else refuse(path, NOT_JSON, null);
      return;
    default:
      refuse(path, NOT_JSON, null);
  }

  function inside(key: string | number, entry: unknown): void {
    path.push(key);
    refuseWhatIsNotJson(entry, path, refuse);
    path.pop();
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const GIVE_FINITE = rule(NOT_FINITE, 'give a finite number');
const TOO_DEEP = rule(`it nests deeper than ${MAX_DEPTH} levels`, 'keep it flatter');
const PROTOTYPE = rule('a key cannot be called so', 'give it another name');
const NOT_JSON = rule('JSON has no such value', 'give null, a boolean, a number, a text, a list or an object');

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
const unstorable = new RegExp(`\0|${LONE_SURROGATE.source}`, 'g');

function isStorable(text: string): boolean {
  return !text.includes('\0') && !LONE_SURROGATE.test(text);
}
