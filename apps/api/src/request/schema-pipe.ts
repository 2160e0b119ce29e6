import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { z } from 'zod';
import { explainIssues } from '../problems/explain-issues.js';
import { Refusal } from '../problems/refusal.js';

/**
 * Checks each argument of a route against the zod schema in its decorator (`@Body({ schema })`, `@Query({ schema })`,
 * `@Param('id', { schema })`) and hands the parsed value on. Throws a Refusal that names each field.
 */
@Injectable()
export class SchemaPipe implements PipeTransform {
  transform(value: unknown, argument: ArgumentMetadata): unknown {
    const { schema } = argument;
    if (!(schema instanceof z.ZodType)) return value;
    if (argument.type === 'body' && value === undefined) throw missingBody();
    const read = schema.safeParse(value);
    if (read.success) return read.data;

    const called = argument.data === undefined ? `the ${argument.type}` : `"${argument.data}"`;
    const errors = explainIssues(read.error.issues, { schema, value, called });
    if (argument.type === 'body') throw new Refusal('invalid-request', { errors });
    // Parameters are named, not pointed to: they are no part of a document.
    const named = errors.map((error) => ({ ...error, pointer: argument.data ?? String(error.path[0] ?? '') }));
    throw new Refusal('invalid-parameter', { errors: named });
  }
}

function missingBody(): Refusal {
  return new Refusal('malformed-json', {
    errors: [
      {
        pointer: '',
        detail: 'The body is empty.',
        remedy: 'Send a JSON object with the header "Content-Type: application/json".',
      },
    ],
  });
}
