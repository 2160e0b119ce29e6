import { readValue, rule } from '@longrun/contracts';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { refusal } from '../problems/refusal.js';

const EventId = z
  .string()
  .refine(
    (text) => /^\d+$/.test(text) && Number.isSafeInteger(Number(text)),
    rule('that is no id of an event', 'give the id of the last event seen, a whole number, or leave the header out'),
  );

/** The `Last-Event-ID` header that browsers send when they reopen a stream; undefined when there is none. */
export const LastEventId = createParamDecorator(
  (_options: unknown, context: ExecutionContext): number | undefined => {
    const text = context.switchToHttp().getRequest<Request>().get('last-event-id');
    if (text === undefined || text === '') return undefined;
    const read = readValue(EventId, text);
    if (read.ok) return Number(read.value);
    throw refusal(
      'invalid-parameter',
      read.faults.map((fault) => ({ ...fault, parameter: 'Last-Event-ID' })),
    );
  },
  [
    (target, method) => {
      if (method === undefined) throw new Error('@LastEventId belongs to a parameter of a route');
      const property = Object.getOwnPropertyDescriptor(target, method);
      ApiHeader({
        name: 'Last-Event-ID',
        required: false,
        description: 'Id of the last event seen: the stream goes on after it.',
        schema: { type: 'integer', minimum: 0 },
      })(target, method, property ?? {});
    },
  ],
);
