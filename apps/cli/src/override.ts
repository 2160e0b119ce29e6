import { parseDocument } from 'yaml';

import { MAX_LEVELS, nestsTooDeep } from './yaml-levels.js';

/** One `--set path=value`. */
export interface Override {
  /** Keys from the outside in; a whole number is also an index of a list. */
  readonly path: readonly string[];
  readonly value: unknown;
}

/** An override that cannot be read or applied. */
export class InvalidOverride extends Error {
  override readonly name = 'InvalidOverride';
}

/**
 * Reads `params.batchSize=64`. The value is YAML: `64` a number, `true` a boolean, `[500, 500]` a list, `"64"` text.
 * Throws InvalidOverride.
 */
export function parseOverride(text: string): Override {
  // What Node puts in place of bytes of a command line that are not UTF-8.
  if (text.includes('\uFFFD')) {
    throw new InvalidOverride(`--set ${text}: U+FFFD is in it: it was not written in UTF-8; set the terminal to UTF-8`);
  }
  const equals = text.indexOf('=');
  const path = equals === -1 ? [] : text.slice(0, equals).split('.');
  if (path.length === 0 || path.includes('')) {
    throw new InvalidOverride(`--set ${text}: give a path and a value, as in --set params.batchSize=64`);
  }
  if (path.length > MAX_LEVELS) {
    throw new InvalidOverride(
      `--set ${path.slice(0, 3).join('.')}…: the path has ${path.length} keys; give at most ${MAX_LEVELS}`,
    );
  }
  if (path.includes('__proto__')) throw new InvalidOverride(`--set ${text}: __proto__ is not a key of any spec`);
  const value = text.slice(equals + 1);
  if (nestsTooDeep(value)) {
    throw new InvalidOverride(
      `--set ${path.join('.')}: the value nests deeper than ${MAX_LEVELS} levels; keep it flatter`,
    );
  }
  const document = parseDocument(value, { prettyErrors: false });
  try {
    for (const error of document.errors) throw error;
    return { path, value: document.toJS() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidOverride(`--set ${text}: the value is not valid YAML (${reason}); put a text in quotes`);
  }
}

/** The spec with one value put in place; what lies on the way is made where it is missing. The given one stays as it is. */
export function applyOverride(spec: Readonly<Record<string, unknown>>, override: Override): Record<string, unknown> {
  const [key, ...rest] = override.path;
  return key === undefined ? { ...spec } : { ...spec, [key]: put(spec[key], rest, override.value, [key]) };
}

/** `target`, found at `here`, with the value put in place below it. */
function put(target: unknown, path: readonly string[], value: unknown, here: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const below = [...here, key];
  if (Array.isArray(target)) {
    const items: readonly unknown[] = target;
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index > items.length) {
      throw new InvalidOverride(
        `--set ${below.join('.')}: ${here.join('.')} is a list of ${items.length}; give an index from 0 to ${items.length}`,
      );
    }
    return items.toSpliced(index, 1, put(items[index], rest, value, below));
  }
  if (target !== undefined && target !== null && typeof target !== 'object') {
    throw new InvalidOverride(
      `--set ${below.join('.')}: ${here.join('.')} is ${JSON.stringify(target)}, which has no keys`,
    );
  }
  const fields: Readonly<Record<string, unknown>> = { ...target };
  return { ...fields, [key]: put(fields[key], rest, value, below) };
}
