import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Request } from 'express';
import { Refusal } from '../problems/refusal.js';

const description =
  'Makes the request safe to repeat: a repetition with the same key and body answers what the first one made; the same key ' +
  'with another body is refused with 409. 1 to 255 visible ASCII characters, e.g. a UUID.';

/** The `Idempotency-Key` header of a request, undefined when there is none; describes the header as well. */
export const IdempotencyKey = createParamDecorator(
  (_options: unknown, context: ExecutionContext): string | undefined => {
    const key = context.switchToHttp().getRequest<Request>().get('idempotency-key');
    if (key === undefined || /^[\u0021-\u007e]{1,255}$/.test(key)) return key;
    throw new Refusal('invalid-parameter', {
      errors: [
        {
          pointer: 'Idempotency-Key',
          detail:
            key.length > 255
              ? `The Idempotency-Key has ${key.length} characters.`
              : 'The Idempotency-Key is empty, or has blanks or other characters that are not visible ASCII.',
          remedy: 'Give one key of 1 to 255 visible ASCII characters, such as a UUID.',
        },
      ],
    });
  },
  [
    (target, method) => {
      if (method === undefined) throw new Error('@IdempotencyKey belongs to a parameter of a route');
      const property = Object.getOwnPropertyDescriptor(target, method);
      const isPattern = { pattern: '^[!-~]{1,255}$', type: 'string' } as const;
      ApiHeader({ name: 'Idempotency-Key', required: false, description, schema: isPattern })(
        target,
        method,
        property ?? {},
      );
    },
  ],
);
