import { readValue, wordsOf } from '@longrun/contracts';
import type { z } from 'zod';

/** Settings given in code, with their defaults. Throws a sentence for each that cannot be, with its remedy. */
export function readSettings<Schema extends z.ZodType>(
  schema: Schema,
  input: z.input<Schema>,
  what: string,
): z.output<Schema> {
  const read = readValue(schema, input);
  if (read.ok) return read.value;
  const sentences = read.faults.map((fault) => wordsOf(fault, what)).map(({ detail, remedy }) => `${detail} ${remedy}`);
  throw new Error(`${what}: ${sentences.join(' ')}`);
}
