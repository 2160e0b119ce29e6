import type { z } from 'zod';

import { assertNever } from './assert-never.js';
import type { ValueFault } from './fault.js';
import { InputShape, typeNoun } from './input-shape.js';
import { nearestWord } from './nearest-word.js';

/** A value as a schema reads it, with its defaults; or all that is wrong with it. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly ValueFault[] };

/** More faults than these are only counted: whoever made them mends the first ones first. */
export const MAX_FAULTS = 50;

/** Reads a value by a schema. Each fault says what stands there and what the schema would have taken. */
export function readValue<Schema extends z.ZodType>(schema: Schema, value: unknown): Reading<z.output<Schema>> {
  // A schema's own words win over these; where they stand, it has none.
  const read = schema.safeParse(value, { error: () => NO_WORDS });
  if (read.success) return { ok: true, value: read.data };
  const context: Context = { value, shape: new InputShape(schema) };
  const faults: ValueFault[] = [];
  let count = 0;
  for (const [at, issue] of read.error.issues.entries()) {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys.length : 1;
    count += keys;
    if (at < MAX_FAULTS && faults.length < MAX_FAULTS) faults.push(...faultsOf(issue, [], context));
  }
  const listed = faults.slice(0, MAX_FAULTS);
  const more = Math.max(count, faults.length) - listed.length;
  return {
    ok: false,
    faults: more > 0 ? [...listed, { path: [], code: 'more-faults', facts: { count: more } }] : listed,
  };
}

const NO_WORDS = '';

interface Context {
  readonly value: unknown;
  readonly shape: InputShape;
}

type Path = readonly (string | number)[];

/** An issue that is one fault. */
type SingleIssue = Exclude<z.core.$ZodIssue, z.core.$ZodIssueUnrecognizedKeys>;

function faultsOf(issue: z.core.$ZodIssue, parent: Path, context: Context): ValueFault[] {
  const path = [...parent, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
  if (issue.code === 'unrecognized_keys') {
    const known = [...context.shape.keysAt(path)];
    return issue.keys.slice(0, MAX_FAULTS + 1).map((key) => ({
      path: [...path, key],
      code: 'unknown-key',
      facts: { key: cut(key), known, nearest: nearestWord(key, known) ?? null },
    }));
  }
  if (issue.code === 'invalid_union' && issue.message === NO_WORDS) {
    const branch = nearestBranch(issue.errors);
    if (branch !== undefined) return branch.flatMap((inner) => faultsOf(inner, path, context));
  }
  return [faultOf(issue, path, context)];
}

function faultOf(issue: SingleIssue, path: Path, context: Context): ValueFault {
  const found = valueAt(context.value, path);
  const value = shown(found);
  const says = issue.message === NO_WORDS ? null : issue.message;
  const forms = [...context.shape.formsAt(path)];
  if (issue.code === 'custom') {
    const byDefault = found === undefined ? context.shape.defaultAt(path) : undefined;
    return {
      path,
      code: 'rule-broken',
      facts: { value: value ?? shown(byDefault), byDefault: byDefault !== undefined, says, remedy: remedyOf(issue) },
    };
  }
  if (found === undefined) {
    const expected = issue.code === 'invalid_type' && forms.length === 0 ? [typeNoun(issue.expected)] : forms;
    return { path, code: 'missing', facts: { forms: expected, says } };
  }
  if (typeof found === 'number' && !Number.isFinite(found)) {
    const facts = { value, byDefault: false, says: says ?? NOT_FINITE, remedy: 'give a finite number' };
    return { path, code: 'rule-broken', facts };
  }
  switch (issue.code) {
    case 'invalid_type':
      return { path, code: 'wrong-type', facts: { value, expected: typeNoun(issue.expected), forms, says } };
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const nearest = typeof found === 'string' ? (nearestWord(found, allowed) ?? null) : null;
      return { path, code: 'unknown-word', facts: { value, allowed, nearest, says } };
    }
    case 'too_small': {
      const relation = issue.inclusive === false ? 'more than' : 'at least';
      return outOfRange(path, found, issue.origin, { relation, bound: Number(issue.minimum), says });
    }
    case 'too_big': {
      const relation = issue.inclusive === false ? 'less than' : 'at most';
      return outOfRange(path, found, issue.origin, { relation, bound: Number(issue.maximum), says });
    }
    case 'not_multiple_of':
      return { path, code: 'not-a-multiple', facts: { value, divisor: issue.divisor, says } };
    case 'invalid_format':
      return {
        path,
        code: 'wrong-format',
        facts: { value, format: issue.format, pattern: issue.pattern ?? null, says },
      };
    case 'invalid_union':
      return { path, code: 'wrong-form', facts: { value, forms, says } };
    case 'invalid_key':
    case 'invalid_element': {
      // What is wrong with the key of a record, or with an entry that has no key to point to.
      const [inner] = issue.issues;
      const own = inner === undefined || inner.message === NO_WORDS ? says : inner.message;
      const facts = { value: shown(path.at(-1)), byDefault: false, says: own, remedy: remedyOf(inner) };
      return { path, code: 'rule-broken', facts };
    }
    default:
      return assertNever(issue, 'zod issue');
  }
}

/** Of what YAML writes as `.nan` or `.inf`, and of what is beyond what a number can be. */
const NOT_FINITE = 'a number must be finite, and one beyond 1.8e308, such as 1e999, is read as Infinity';

function outOfRange(
  path: Path,
  found: unknown,
  origin: string,
  range: { relation: 'at least' | 'more than' | 'at most' | 'less than'; bound: number; says: string | null },
): ValueFault {
  const value = shown(found);
  // A parameter of a request is a text also where a number is meant: then its characters are not what was measured.
  if (origin === 'string' && typeof found === 'string') {
    return { path, code: 'out-of-range', facts: { value, measure: 'characters', size: found.length, ...range } };
  }
  if (Array.isArray(found)) {
    return { path, code: 'out-of-range', facts: { value, measure: 'entries', size: found.length, ...range } };
  }
  return { path, code: 'out-of-range', facts: { value, measure: 'number', size: null, ...range } };
}

function remedyOf(issue: z.core.$ZodIssue | undefined): string | null {
  const remedy: unknown = issue?.code === 'custom' ? issue.params?.['remedy'] : undefined;
  return typeof remedy === 'string' ? remedy : null;
}

/** The branch of a union that came nearest: whose first failure lies deepest, then with the fewest; none if all fail at once. */
function nearestBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const nearest = branches
    .filter((branch) => branch.length > 0)
    .toSorted((left, right) => depth(right) - depth(left) || left.length - right.length)[0];
  return nearest === undefined || depth(nearest) === 0 ? undefined : nearest;
}

function depth(branch: readonly z.core.$ZodIssue[]): number {
  return Math.min(...branch.map(({ code, path }) => path.length + (code === 'unrecognized_keys' ? 0.5 : 0)));
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inside, key) =>
      typeof inside === 'object' && inside !== null && Object.hasOwn(inside, key)
        ? Reflect.get(inside, key)
        : undefined,
    value,
  );
}

function shown(value: unknown): string | null {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const text: string | undefined = JSON.stringify(value, (_key, inner: unknown) => {
    // JSON has neither NaN, which it would show as null, nor big integers.
    const isForeign = typeof inner === 'bigint' || (typeof inner === 'number' && !Number.isFinite(inner));
    return isForeign ? String(inner) : inner;
  });
  return text === undefined ? null : cut(text);
}

function cut(text: string): string {
  if (text.length <= 60) return text;
  // Not through the middle of a pair of surrogates.
  return `${text.slice(0, 57).replace(/[\uD800-\uDBFF]$/, '')}...`;
}
