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
