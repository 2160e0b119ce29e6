import { z } from 'zod';

import type { Limits } from './limits.js';

/** The environment holds a value that cannot be used. The message has one line for each variable, with its remedy. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables that a shape names. Blanks around a value do not count, and an empty variable counts as absent.
 * Throws ConfigurationError.
 */
export function readVariables<Shape extends z.ZodRawShape>(
  shape: Shape,
  environment: Environment,
): z.output<z.ZodObject<Shape>> {
  const present = Object.fromEntries(
    Object.keys(shape).flatMap((name) => {
      const value = environment[name]?.trim();
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  const read = z.object(shape).safeParse(present);
  if (read.success) return read.data;
  throw new ConfigurationError(
    read.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`).join('\n'),
  );
}

/** A whole number; `what` says what to give. */
export function wholeNumber({ byDefault, ...range }: Limits, what: string) {
  return wholeNumberIn(range, what).default(byDefault);
}

/** A whole number without a default; `what` says what to give. */
export function wholeNumberIn({ least, most }: Omit<Limits, 'byDefault'>, what: string) {
  return z.string().transform((text, context) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    context.issues.push({
      code: 'custom',
      input: text,
      message: `${JSON.stringify(text)} is not a whole number from ${least} to ${most}; give ${what}`,
    });
    return z.NEVER;
  });
}

/** A whole number of milliseconds. */
export function milliseconds(limits: Limits) {
  return wholeNumber(limits, 'milliseconds');
}

/** A URL of one of the protocols (`redis:`). It may hold a password, so that the value stays out of the message. */
export function secretUrl(protocols: readonly string[], example: string) {
  const starts = protocols.map((protocol) => `${protocol}//`).join(' or ');
  return z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `is not a URL that starts with ${starts}; give one such as ${example}`,
  });
}

/** Names with values, as `gpu=a100,room=2`; none when it is absent. */
export function labels() {
  return z
    .string()
    .regex(/^[\w.-]+=[^,=]+(,\s*[\w.-]+=[^,=]+)*$/, { error: 'give names and values, as gpu=a100,room=2' })
    .transform((text): Readonly<Record<string, string>> =>
      Object.fromEntries(text.split(',').map((label) => label.trim().split('='))),
    )
    .default({});
}

/** A size, as `8GiB`, `512MiB` or a number of bytes; `unlimited` is null. `what` says of what, for people. */
export function sizeInBytes(what: string, least: number) {
  return z.string().transform((text, context): number | null => {
    if (text === 'unlimited') return null;
    const [, number, unit = ''] = /^(\d+)(KiB|MiB|GiB|TiB)?$/.exec(text) ?? [];
    const bytes = Number(number) * 1024 ** ['', 'KiB', 'MiB', 'GiB', 'TiB'].indexOf(unit);
    if (Number.isSafeInteger(bytes) && bytes >= least) return bytes;
    context.issues.push({
      code: 'custom',
      input: text,
      message: `${JSON.stringify(text)} is not ${what} of at least ${least / 2 ** 20}MiB; give one such as 8GiB, or unlimited`,
    });
    return z.NEVER;
  });
}

/** `auto`, `worker`, or a user by number, as `1500` or `1500:1500` with its group. */
export function userNumber() {
  return z
    .string()
    .transform((text, context): 'auto' | 'worker' | { readonly uid: number; readonly gid: number } => {
      if (text === 'auto' || text === 'worker') return text;
      const [, uid, gid = uid] = /^([1-9]\d{0,8})(?::([1-9]\d{0,8}))?$/.exec(text) ?? [];
      if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
      context.issues.push({
        code: 'custom',
        input: text,
        message: `${JSON.stringify(text)} is no user; give auto, worker, or the number of one that is not root, as 1500 or 1500:1500`,
      });
      return z.NEVER;
    })
    .default('auto');
}
