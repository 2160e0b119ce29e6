import { HttpException } from '@nestjs/common';
import { Refusal } from './refusal.js';

/** The request during which something was thrown. */
export interface Occasion {
  readonly method: string;
  readonly path: string;
}

/** What a thrown thing means to the client. What is not known to be the client's fault is ours, and its words stay in the log. */
export function refusalOf(error: unknown, occasion: Occasion): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof HttpException && error.getStatus() < 500) return fromHttp(error, occasion);
  return new Refusal('internal-error', {
    cause: error,
    errors: [
      {
        pointer: '',
        detail: 'The API hit an error that it does not know.',
        remedy: 'Try again; if it persists, look for the "instance" of this document in the log of the API.',
      },
    ],
  });
}

/** What Express, its body reader and Nest's router throw. */
function fromHttp(error: HttpException, { method, path }: Occasion): Refusal {
  switch (error.getStatus()) {
    case 404:
      return new Refusal('unknown-route', {
        errors: [
          { pointer: '', detail: `Nothing is served at ${method} ${path}.`, remedy: 'See /openapi.json for what is.' },
        ],
      });
    case 413:
      return new Refusal('body-too-large', {
        cause: error,
        errors: [
          {
            pointer: 'Content-Length',
            detail: `The body is larger than the ${String(causeOf(error, 'limit'))} bytes that are accepted.`,
            remedy: 'Send less, or start the API with a larger LONGRUN_BODY_LIMIT_BYTES.',
          },
        ],
      });
    case 415:
      return new Refusal('unsupported-media-type', {
        cause: error,
        errors: [
          {
            pointer: causeOf(error, 'type') === 'encoding.unsupported' ? 'Content-Encoding' : 'Content-Type',
            detail: `The body cannot be decoded: ${error.message}.`,
            remedy: 'Send JSON in UTF-8, plain or with gzip, deflate or br.',
          },
        ],
      });
    default:
      return new Refusal('bad-request', {
        cause: error,
        errors: [
          {
            pointer: '',
            detail: `The request cannot be read: ${error.message}.`,
            remedy:
              'Send well-formed HTTP: a path with valid percent-escapes and a body as long as Content-Length says.',
          },
        ],
      });
  }
}

/** A property of the http-errors object that Nest wrapped. */
function causeOf(error: HttpException, property: string): unknown {
  return typeof error.cause === 'object' && error.cause !== null ? Reflect.get(error.cause, property) : undefined;
}
