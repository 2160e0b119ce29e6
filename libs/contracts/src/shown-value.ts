/** Characters of a value that are shown at most. */
const MAX_SHOWN = 60;

/**
 * A value as JSON, cut at 60 characters; null where there is none. However large it is, no more of its entries are read than are shown.
 */
export function shownValue(value: unknown): string | null {
  if (value === undefined) return null;
  const parts: string[] = [];
  let left = MAX_SHOWN + 1;
  write(value);
  return cut(parts.join(''));

  function put(text: string): void {
    parts.push(text);
    left -= text.length;
  }

  function write(inside: unknown): void {
    if (left <= 0) return;
    if (Array.isArray(inside)) {
      put('[');
      for (let index = 0; index < inside.length && left > 0; index += 1) {
        if (index > 0) put(',');
        write(inside[index]);
      }
      put(']');
    } else if (isRecord(inside)) {
      put('{');
      let first = true;
      for (const key in inside) {
        if (left <= 0) break;
        if (!Object.hasOwn(inside, key) || inside[key] === undefined) continue;
        if (!first) put(',');
        first = false;
        write(key);
        put(':');
        write(inside[key]);
      }
      put('}');
    } else put(scalar(inside));
  }
}

/** A text of which no more is shown than of any value. */
export function cut(text: string): string {
  if (text.length <= MAX_SHOWN) return text;
  // Not through the middle of a pair of surrogates.
  return `${text.slice(0, MAX_SHOWN - 3).replace(/[\uD800-\uDBFF]$/, '')}...`;
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, MAX_SHOWN + 1));
  // JSON has neither NaN nor big integers, which code may give.
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const text: string | undefined = JSON.stringify(value);
  return text ?? 'null';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  return !('toJSON' in value);
}
