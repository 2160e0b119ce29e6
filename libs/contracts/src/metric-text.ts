import { decodeNumber } from './log-row.js';

/** How the last value of a metric compares with a number. */
export const relations = ['<=', '>=', '!=', '<', '>', '='] as const;
export type Relation = (typeof relations)[number];

/** A condition on the last value of a metric. */
export interface MetricCondition {
  readonly metric: string;
  readonly relation: Relation;
  readonly value: number;
}

/** What is wrong with a text, a clause without a full stop, and what to do about it. */
export interface TextBroken {
  readonly says: string;
  readonly remedy: string;
}

/** What a text was read as, or why it cannot be. */
export type TextReading<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & TextBroken);

/** `metric.valid_cost<0.3`, or several with commas between. A name with a comma, quote or comparison in it is written as a JSON string. */
export function readConditions(text: string): TextReading<MetricCondition[]> {
  const conditions: MetricCondition[] = [];
  for (const part of partsOf(text)) {
    const [, name, relation, number] = CONDITION.exec(part) ?? [];
    const metric = readName(name);
    const value = readNumber(number);
    if (metric === undefined || !isRelation(relation) || value === undefined)
      return { ok: false, says: `${JSON.stringify(part)} is no condition on a metric`, remedy: CONDITION_REMEDY };
    if (Number.isNaN(value) && relation !== '=' && relation !== '!=')
      return { ok: false, says: 'nothing is less or more than NaN', remedy: 'compare with NaN by = or !=' };
    conditions.push({ metric, relation, value });
  }
  if (conditions.length <= MAX_CONDITIONS) return { ok: true, value: conditions };
  return { ok: false, says: `it has ${conditions.length} conditions`, remedy: `give at most ${MAX_CONDITIONS}` };
}

/** Names with commas between. One with a comma or a quote in it is written as a JSON string. */
export function readNames(text: string): TextReading<string[]> {
  const names: string[] = [];
  for (const part of partsOf(text)) {
    const name = readName(part.trim());
    if (name === undefined)
      return { ok: false, says: `${JSON.stringify(part)} is no name`, remedy: 'give names with commas between' };
    if (!names.includes(name)) names.push(name);
  }
  if (names.length <= MAX_NAMES) return { ok: true, value: names };
  return { ok: false, says: `it has ${names.length} names`, remedy: `give at most ${MAX_NAMES}` };
}

/** A name as it is, or as a JSON string where it begins with a quote; undefined where it is neither. */
export function readName(text: string | undefined): string | undefined {
  if (text === undefined || text === '' || text.includes('\0')) return undefined;
  if (!text.startsWith('"')) return text;
  try {
    const name: unknown = JSON.parse(text);
    return typeof name === 'string' && !name.includes('\0') ? name : undefined;
  } catch {
    return undefined;
  }
}

/** A name as {@link readNames} and {@link readConditions} read it. */
export function nameText(name: string): string {
  return /[,"<>=!]|^\s|\s$|^$/.test(name) ? JSON.stringify(name) : name;
}

const MAX_CONDITIONS = 10;
const MAX_NAMES = 20;

const CONDITION = /^\s*metric\.("(?:[^"\\]|\\.)*"|[^"<>=!]*[^"<>=!\s])\s*(<=|>=|!=|<|>|=)\s*(\S+)\s*$/s;
const CONDITION_REMEDY =
  'give one such as metric.valid_cost<0.3, by <, <=, >, >=, = or !=; a name with such a sign, a comma or a quote in it is a JSON string';

/** What stands between commas that are in no JSON string. */
function partsOf(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^,])+/gs) ?? [];
}

function readNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const named = decodeNumber(text);
  if (named !== undefined) return named;
  const number = Number(text);
  return /^[-+]?(\d|\.\d)[\d.eE+-]*$/.test(text) && Number.isFinite(number) ? number : undefined;
}

function isRelation(text: string | undefined): text is Relation {
  return relations.some((relation) => relation === text);
}
