import { assertNever, jsonPointer, type ProblemError } from '@longrun/contracts';
import { z } from 'zod';
import { InputShape } from './input-shape.js';
import { nearestWord } from './nearest-word.js';

/** What was validated, so that an error can repeat the value and name what would have been right. */
export interface Validated {
  /** The schema that refused the value. */
  readonly schema: z.ZodType;
  /** The value as it came. */
  readonly value: unknown;
  /** What to call the value as a whole. Default: the body. */
  readonly called?: string;
}

/** A problem error that still has its path, for those who put the value into a larger document. */
export interface ExplainedIssue extends ProblemError {
  readonly path: readonly PropertyKey[];
}

/**
 * The issues of a zod schema, explained: where (a JSON pointer, RFC 6901), what is wrong with the value that stands there,
 * and what to do. A schema's own message is kept; what follows its last semicolon is taken as the remedy.
 */
export function explainIssues(issues: readonly z.core.$ZodIssue[], validated: Validated): ExplainedIssue[] {
  const context: Context = { called: 'the body', ...validated, shape: new InputShape(validated.schema) };
  return issues.flatMap((issue) => explain(issue, [], context));
}

interface Context {
  readonly value: unknown;
  readonly called: string;
  readonly shape: InputShape;
}

interface Explanation {
  readonly detail: string;
  readonly remedy: string;
}

function explain(issue: z.core.$ZodIssue, parent: readonly PropertyKey[], context: Context): ExplainedIssue[] {
  const path = [...parent, ...issue.path];
  const place: Place = { path, name: nameOf(path, context), value: valueAt(context.value, path), context };
  const inOwnWords = !readyMade.test(issue.message);
  if (issue.code === 'unrecognized_keys' && !inOwnWords) {
    return issue.keys.map((key) => at([...path, key], unknownKey(key, place)));
  }
  if (issue.code === 'invalid_union') {
    const branch = nearestBranch(issue.errors);
    if (branch !== undefined && !inOwnWords) return branch.flatMap((inner) => explain(inner, path, context));
  }
  const explanation = explainByCode(issue, place);
  return [at(path, inOwnWords ? ownWords(issue.message, place, explanation) : explanation)];
}

function explainByCode(issue: z.core.$ZodIssue, place: Place): Explanation {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, place);
    case 'invalid_value':
      return wrongWord(issue.values.map(String), place);
    case 'too_small':
      return outOfRange(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum, place);
    case 'too_big':
      return outOfRange(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum, place);
    case 'not_multiple_of':
      return { detail: is(place), remedy: `Give a multiple of ${issue.divisor}.` };
    case 'invalid_format':
      return wrongFormat(issue, place);
    case 'invalid_union':
      return wrongForm(place);
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return { detail: is(place, 'which was refused'), remedy: 'Change it so that this is no longer so.' };
    default:
      return assertNever(issue, 'zod issue');
  }
}

/** Where an issue is. */
interface Place {
  readonly path: readonly PropertyKey[];
  /** What to call the value there: its key in quotes. */
  readonly name: string;
  /** The value there; undefined when it is missing. */
  readonly value: unknown;
  readonly context: Context;
}

function at(path: readonly PropertyKey[], explanation: Explanation): ExplainedIssue {
  return { pointer: jsonPointer(path), path, ...explanation };
}

/** What a schema says itself, `fault; remedy`; without a remedy, that of the issue's kind. */
function ownWords(message: string, place: Place, byCode: Explanation): Explanation {
  const { name, value } = place;
  const split = message.lastIndexOf(';');
  const fault = split === -1 ? message : message.slice(0, split);
  const detail = sentence(withSubject(fault, value === undefined ? name : `${name} (${shown(value)})`));
  if (split !== -1) return { detail, remedy: sentence(message.slice(split + 1)) };
  if (fault.startsWith('must be ')) {
    return { detail, remedy: sentence(`give a value that is ${fault.slice('must be '.length)}`) };
  }
  return { detail: detail.startsWith(capitalized(name)) ? detail : `${is(place)} ${detail}`, remedy: byCode.remedy };
}

/** Who checks a single field says what it is or must be (`must be positive`), and leaves the subject to us. */
export function withSubject(fault: string, subject: string): string {
  return /^(?:is|has|was|must|cannot|does) /.test(fault) ? `${subject} ${fault}` : fault;
}

/** How the messages begin that zod makes where a schema has none of its own. */
const readyMade = /^(?:Invalid |Too (?:big|small): |Unrecognized key)/;

function unknownKey(key: string, { path, context }: Place): Explanation {
  const known = context.shape.keysAt(path);
  const meant = nearestWord(key, known);
  return {
    detail: `${shown(key)} is not a key that is known in ${nameOf(path, context)}.`,
    remedy:
      (meant === undefined ? 'Remove it. ' : `Did you mean "${meant}"? Rename or remove it. `) +
      (known.length === 0 ? 'It takes no keys.' : `Known keys: ${known.join(', ')}.`),
  };
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

function wrongForm(place: Place): Explanation {
  const forms = place.context.shape.formsAt(place.path);
  return {
    detail: is(place, 'which fits none of the forms it can have'),
    remedy: forms.length === 0 ? 'See /openapi.json for the forms.' : `Give ${forms.map(article).join(', or ')}.`,
  };
}

function wrongType(expected: string, place: Place): Explanation {
  const forms = place.context.shape.formsAt(place.path);
  const wanted = article(forms.length === 0 ? expected : forms.join(' or '));
  return {
    detail: is(place, `which is not ${article(expected)}`),
    remedy: place.value === undefined ? `Add ${place.name}: ${wanted}.` : `Give ${wanted}.`,
  };
}

function wrongWord(allowed: readonly string[], place: Place): Explanation {
  const meant = typeof place.value === 'string' ? nearestWord(place.value, allowed) : undefined;
  const choice = allowed.map((word) => JSON.stringify(word)).join(', ');
  return {
    detail: is(place, 'which is not one of the values it can have'),
    remedy: `${meant === undefined ? '' : `Did you mean "${meant}"? `}Give ${allowed.length === 1 ? choice : `one of ${choice}`}.`,
  };
}

function outOfRange(origin: string, relation: string, bound: number | bigint, place: Place): Explanation {
  const { name, value } = place;
  if (typeof value === 'string' && origin === 'string') {
    return {
      detail: `${capitalized(name)} has ${value.length} characters; it must have ${relation} ${bound}.`,
      remedy: `Give ${relation} ${bound} characters.`,
    };
  }
  if (Array.isArray(value)) {
    return {
      detail: `${capitalized(name)} has ${value.length} entries; it must have ${relation} ${bound}.`,
      remedy: `Give ${relation} ${bound} entries.`,
    };
  }
  return {
    detail: `${is(place).slice(0, -1)}; it must be ${relation} ${bound}.`,
    remedy: `Give a number ${relation.startsWith('at') ? `of ${relation}` : relation} ${bound}.`,
  };
}

function wrongFormat(issue: z.core.$ZodIssueInvalidStringFormat, place: Place): Explanation {
  return {
    detail: is(place, `which has not the form that it must have (${issue.format})`),
    remedy:
      issue.pattern === undefined ? `Give a valid ${issue.format}.` : `Give a text that matches ${issue.pattern}.`,
  };
}

/** `"seed" is -3, <clause>.`, or that it is missing. */
function is({ name, value }: Place, clause?: string): string {
  if (value === undefined) return `${capitalized(name)} is missing.`;
  return `${capitalized(name)} is ${shown(value)}${clause === undefined ? '' : `, ${clause}`}.`;
}

function nameOf(path: readonly PropertyKey[], { called }: Context): string {
  const last = path.at(-1);
  if (last === undefined) return called;
  if (typeof last !== 'number') return `"${String(last)}"`;
  return path.length === 1 ? `entry ${last}` : `entry ${last} of "${String(path.at(-2))}"`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inside, key) =>
      typeof inside === 'object' && inside !== null && Object.hasOwn(inside, key)
        ? Reflect.get(inside, key)
        : undefined,
    value,
  );
}

function article(noun: string): string {
  const word = { int: 'integer', record: 'object' }[noun] ?? noun;
  if (/^(?:one of|null|undefined|"|\d|an? )/.test(word)) return word;
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `text` as a sentence: a capital first, a full stop last. */
export function sentence(text: string): string {
  // A sentence may begin with a name, which keeps its case: `mlp: dims has …`.
  const trimmed = /^[\w./-]+:/.test(text.trim()) ? text.trim() : capitalized(text.trim());
  return /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
