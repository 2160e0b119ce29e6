import { readValue, type ValueFault } from '@longrun/contracts';
import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { z } from 'zod';
import { refusal, type Refusal } from '../problems/refusal.js';

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
    const read = readValue(schema, value);
    if (read.ok) return read.value;

    if (argument.type === 'body') throw refusal('invalid-request', read.faults);
    throw refusal(
      'invalid-parameter',
      read.faults.map((fault) => ofParameter(fault, argument.data)),
      { whole: `the ${argument.type}` },
    );
  }
}

/** Parameters are named, not pointed to: they are no part of a document. */
function ofParameter(fault: ValueFault, name: string | undefined): ValueFault {
  if (name !== undefined) return { ...fault, parameter: name };
  const [parameter, ...path] = fault.path;
  return parameter === undefined ? fault : { ...fault, parameter: String(parameter), path };
}

function missingBody(): Refusal {
  return refusal('malformed-json', [{ path: [], code: 'body-missing', facts: {} }]);
}
