import { z } from 'zod';

import { StorableText } from './json.js';
import { rule, textLike } from './rule.js';

/** Name of an environment variable of a program. Those by which Node and Longrun are told how to run are not its own. */
export const VariableName = textLike(
  /^(?!LONGRUN_|NODE_|LD_)[A-Z_][A-Z0-9_]{0,99}$/,
  'an environment variable of a program cannot be called so',
  'give 1 to 100 of A-Z, 0-9, `_`; begin with a letter or `_`, and not with LONGRUN_, NODE_ or LD_',
);

/** Variables that an experiment may have, and secrets. */
const MAX_VARIABLES = 100;

export const ProgramEnvironment = z
  .record(VariableName, StorableText.max(10_000))
  .refine(
    (variables) => Object.keys(variables).length <= MAX_VARIABLES,
    rule(`an experiment has at most ${MAX_VARIABLES} environment variables`, 'leave some out'),
  )
  .meta({ description: 'Environment variables of a program, with their values: they are on the record.' });

export const SecretNames = z
  .array(VariableName)
  .max(MAX_VARIABLES)
  .refine((names) => new Set(names).size === names.length, rule('a secret is named twice', 'name each once'))
  .meta({
    description:
      'Names of secrets, each of which workers keep in a file, and which the program finds as environment variables.',
  });

/** What programs that a program starts can still be given in one variable, in UTF-8. */
const MAX_SECRET_BYTES = 64 * 2 ** 10;

/** The value of a secret from the bytes that are kept of it, without the line break that ends them; or, in a clause, why it can be none. */
export function secretValue(
  bytes: Uint8Array,
): { readonly ok: true; readonly value: string } | { readonly ok: false; readonly why: string } {
  if (bytes.length > MAX_SECRET_BYTES)
    return { ok: false, why: `it has ${bytes.length} bytes, and a secret has at most ${MAX_SECRET_BYTES}` };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { ok: false, why: 'it is no text in UTF-8' };
  }
  const value = text.replace(/\r?\n$/, '');
  if (value === '') return { ok: false, why: 'it is empty' };
  if (value.includes('\0')) return { ok: false, why: 'it has a NUL, which no environment variable can have' };
  return { ok: true, value };
}
