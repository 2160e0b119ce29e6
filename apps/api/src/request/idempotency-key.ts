import { readValue, textLike } from '@longrun/contracts';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Request } from 'express';
import { refusal } from '../problems/refusal.js';

const DESCRIPTION =
  'Makes the request safe to repeat: a repetition with the same key and body answers what the first one made; the same key ' +
  'with another body is refused with 409. 1 to 255 visible ASCII characters, e.g. a UUID.';

const Key = textLike(
  /^[!-~]{1,255}$/,
  'it is empty, too long, or has blanks or other characters that are not visible ASCII',
  'give one key of 1 to 255 visible ASCII characters, such as a UUID',
);

/** The `Idempotency-Key` header of a request, undefined when there is none; describes the header as well. */
export const IdempotencyKey = createParamDecorator(
  (_options: unknown, context: ExecutionContext): string | undefined => {
    const key = context.switchToHttp().getRequest<Request>().get('idempotency-key');
    if (key === undefined) return undefined;
    const read = readValue(Key, key);
    if (read.ok) return read.value;
    throw refusal(
      'invalid-parameter',
      read.faults.map((fault) => ({ ...fault, parameter: 'Idempotency-Key' })),
    );
  },
  [
    (target, method) => {
      if (method === undefined) throw new Error('@IdempotencyKey belongs to a parameter of a route');
      const property = Object.getOwnPropertyDescriptor(target, method);
      const isPattern = { pattern: '^[!-~]{1,255}$', type: 'string' } as const;
      ApiHeader({ name: 'Idempotency-Key', required: false, description: DESCRIPTION, schema: isPattern })(
        target,
        method,
        property ?? {},
      );
    },
  ],
);
