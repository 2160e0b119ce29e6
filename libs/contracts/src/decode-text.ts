import type { Words } from './words.js';

/** Where bytes stop being UTF-8, and what they probably are. */
export interface TextFault {
  /** The line, from 1, in which the first byte stands that cannot be read. */
  readonly line: number;
  /** What the text was probably written in; null for what seems to be no text at all. */
  readonly likely: 'UTF-16' | 'UTF-32' | 'ISO-8859-1 or Windows-1252' | null;
}

/**
 * The text of UTF-8 bytes, without the mark of byte order that may precede it; or why they are none. Nothing is guessed and nothing
 * replaced: what was written in another encoding is refused.
 */
export function decodeText(
  bytes: Uint8Array,
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: TextFault } {
  const wide = wideEncoding(bytes);
  if (wide !== null) return { ok: false, fault: { line: 1, likely: wide } };
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { ok: false, fault: faultIn(bytes) };
  }
}

/** A fault of decoding in words, for `the body` or the name of a file. */
export function textFaultWords({ line, likely }: TextFault, whole: string): Words {
  const what = whole.startsWith('the ') ? `The ${whole.slice(4)}` : whole;
  if (likely === null) {
    return {
      detail: `${what} is not text in UTF-8: the bytes in line ${line} are none.`,
      remedy: 'Give a text, saved as UTF-8.',
    };
  }
  return {
    detail: `${what} is not in UTF-8: by its bytes in line ${line} it is in ${likely}.`,
    remedy: `Save it as UTF-8, for example by: iconv -f ${ICONV[likely]} -t UTF-8.`,
  };
}

const ICONV = { 'UTF-16': 'UTF-16', 'UTF-32': 'UTF-32', 'ISO-8859-1 or Windows-1252': 'WINDOWS-1252' } as const;

/** By a mark of byte order, or by the zeros that the first character has there, which is an ASCII one in JSON and YAML. */
function wideEncoding(bytes: Uint8Array): 'UTF-16' | 'UTF-32' | null {
  const [first, second, third, fourth] = bytes;
  if (first === undefined || second === undefined) return null;
  const isUtf32 =
    third === 0 && fourth === 0 ? second === 0 || (first === 0xff && second === 0xfe) : first === 0 && second === 0;
  if (isUtf32 && bytes.length >= 4) return 'UTF-32';
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return isMarked || (first === 0) !== (second === 0) ? 'UTF-16' : null;
}

function faultIn(bytes: Uint8Array): TextFault {
  const start = firstBroken(bytes);
  const line = bytes.subarray(0, start).reduce((lines, byte) => lines + (byte === LINE_FEED ? 1 : 0), 1);
  const context = bytes.subarray(Math.max(0, start - 512), start + 512);
  // Text of one byte a character has no control characters but blanks; half a character at the very end is a text that was cut off.
  const isText = context.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));
  const isCutOff = bytes.length - start < 4 && bytes.subarray(start + 1).every((byte) => (byte & 0xc0) === 0x80);
  const isLead = (bytes[start] ?? 0) >= 0xc2 && (bytes[start] ?? 0) <= 0xf4;
  return { line, likely: isText && !(isLead && isCutOff) ? 'ISO-8859-1 or Windows-1252' : null };
}

/** The place of the first byte that belongs to no character. */
function firstBroken(bytes: Uint8Array): number {
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const encoder = new TextEncoder();
  let place = 0;
  let from = 0;
  for (;;) {
    const at = lenient.indexOf(REPLACEMENT, from);
    if (at === -1) return place;
    place += encoder.encode(lenient.slice(from, at)).length;
    const isItself = bytes[place] === 0xef && bytes[place + 1] === 0xbf && bytes[place + 2] === 0xbd;
    if (!isItself) return place;
    place += 3;
    from = at + 1;
  }
}

const REPLACEMENT = '\uFFFD';
const LINE_FEED = 0x0a;
