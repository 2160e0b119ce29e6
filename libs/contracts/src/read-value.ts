import type { z } from 'zod';

import { assertNever } from './assert-never.js';
import { boundedFault } from './bounded-fault.js';
import type { ValueFault } from './fault.js';
import { InputShape, typeNoun } from './input-shape.js';
import { NOT_FINITE } from './json.js';
import { nearestWord } from './nearest-word.js';
import { cut, shownValue } from './shown-value.js';

/** A value as a schema reads it, with its defaults; or all that is wrong with it. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly ValueFault[] };

/** More faults than these are only counted: whoever made them mends the first ones first. */
export const MAX_FAULTS = 20;

/**
 * Reads a value by a schema. Each fault says what stands there and what the schema would have taken; at most {@link MAX_FAULTS} are
 * worked out, of each no more is looked at than is shown, and each is short, whatever the value or the schema says.
 */
export function readValue<Schema extends z.ZodType>(schema: Schema, value: unknown): Reading<z.output<Schema>> {
  // A schema's own words win over these; where they stand, it has none.
  const read = schema.safeParse(value, { error: () => NO_WORDS });
  if (read.success) return { ok: true, value: read.data };
  const context: Context = { value, shape: new InputShape(schema) };
  const faults: ValueFault[] = [];
  let more = 0;
  for (const single of read.error.issues.flatMap((issue) => [...singlesOf(issue, [])])) {
    if (faults.length < MAX_FAULTS) faults.push(boundedFault(faultOf(single, context)));
    else more += 1;
  }
  return { ok: false, faults: withCount(faults, more) };
}

/** The first of many faults, `most` at most, and how many more there are. */
export function firstFaults<F extends { readonly code: string }>(
  faults: readonly (F | MoreFaults)[],
  most = MAX_FAULTS,
): (F | MoreFaults)[] {
  const own = faults.filter((fault): fault is F => fault.code !== 'more-faults');
  const counted = faults.filter(isMore).reduce((sum, { facts }) => sum + facts.count, 0);
  return withCount(own.slice(0, most), counted + Math.max(0, own.length - most));
}

type MoreFaults = Extract<ValueFault, { code: 'more-faults' }>;

function isMore(fault: { readonly code: string }): fault is MoreFaults {
  return fault.code === 'more-faults';
}

function withCount<F>(faults: readonly F[], more: number): (F | MoreFaults)[] {
  return more === 0 ? [...faults] : [...faults, { path: [], code: 'more-faults', facts: { count: more } }];
}

const NO_WORDS = '';

interface Context {
  readonly value: unknown;
  readonly shape: InputShape;
}

type Path = readonly (string | number)[];

/** An issue that is one fault, and where it is. */
interface Single {
  readonly issue: Exclude<z.core.$ZodIssue, z.core.$ZodIssueUnrecognizedKeys> | UnknownKey;
  readonly path: Path;
}

interface UnknownKey {
  readonly code: 'unknown-key';
  readonly key: string;
}

/** The issues that one issue stands for: each key that is not known, and those of the branch of a union that came nearest. */
function* singlesOf(issue: z.core.$ZodIssue, parent: Path): Generator<Single> {
  const path = [...parent, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) yield { path, issue: { code: 'unknown-key', key } };
    return;
  }
  const branch = issue.code === 'invalid_union' && issue.message === NO_WORDS ? nearestBranch(issue.errors) : undefined;
  if (branch === undefined) yield { path, issue };
  else for (const inner of branch) yield* singlesOf(inner, path);
}

function faultOf({ issue, path }: Single, context: Context): ValueFault {
  if (issue.code === 'unknown-key') {
    const { key } = issue;
    const known = [...context.shape.keysAt(path)];
    const facts = { key: cut(key), known, nearest: nearestWord(key, known) ?? null };
    return { path: [...path, key], code: 'unknown-key', facts };
  }
  const found = valueAt(context.value, path);
  const value = shownValue(found);
  const says = issue.message === NO_WORDS ? null : issue.message;
  const forms = [...context.shape.formsAt(path)];
  if (issue.code === 'custom') {
    const byDefault = found === undefined ? context.shape.defaultAt(path) : undefined;
    return {
      path,
      code: 'rule-broken',
      facts: {
        value: value ?? shownValue(byDefault),
        byDefault: byDefault !== undefined,
        says,
        remedy: remedyOf(issue),
      },
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
      const allowed = issue.values.map((one) => (typeof one === 'number' ? one : String(one)));
      const words = allowed.filter((one) => typeof one === 'string');
      const nearest = typeof found === 'string' ? (nearestWord(found, words) ?? null) : null;
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
      const facts = { value: shownValue(path.at(-1)), byDefault: false, says: own, remedy: remedyOf(inner) };
      return { path, code: 'rule-broken', facts };
    }
    default:
      return assertNever(issue, 'zod issue');
  }
}

function outOfRange(
  path: Path,
  found: unknown,
  origin: string,
  range: { relation: 'at least' | 'more than' | 'at most' | 'less than'; bound: number; says: string | null },
): ValueFault {
  const value = shownValue(found);
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
    .map((branch) => ({ branch, depth: depth(branch) }))
    .toSorted((left, right) => right.depth - left.depth || left.branch.length - right.branch.length)[0];
  return nearest === undefined || nearest.depth === 0 ? undefined : nearest.branch;
}

function depth(branch: readonly z.core.$ZodIssue[]): number {
  return branch.reduce(
    (least, { code, path }) => Math.min(least, path.length + (code === 'unrecognized_keys' ? 0.5 : 0)),
    Number.POSITIVE_INFINITY,
  );
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
