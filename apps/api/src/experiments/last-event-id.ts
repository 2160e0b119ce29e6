import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Request } from 'express';
import { Refusal } from '../problems/refusal.js';

/** The `Last-Event-ID` header that browsers send when they reopen a stream; undefined when there is none. */
export const LastEventId = createParamDecorator(
  (_options: unknown, context: ExecutionContext): number | undefined => {
    const text = context.switchToHttp().getRequest<Request>().get('last-event-id');
    if (text === undefined || text === '') return undefined;
    const id = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(id)) return id;
    throw new Refusal('invalid-parameter', {
      errors: [
        {
          pointer: 'Last-Event-ID',
          detail: `The Last-Event-ID ${JSON.stringify(text.slice(0, 40))} is no id of an event.`,
          remedy: 'Give the id of the last event seen, a whole number, or leave the header out.',
        },
      ],
    });
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
