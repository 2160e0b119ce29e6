import { HttpException } from '@nestjs/common';
import { RequestRefused } from '@longrun/platform';
import { sentence, withSubject } from './explain-issues.js';
import { isProblemKind, problemKinds, Refusal } from './refusal.js';

/** The request during which something was thrown. */
export interface Occasion {
  readonly method: string;
  readonly path: string;
  /** The methods that are served at this path. */
  readonly methods: readonly string[];
}

/** What a thrown thing means to the client. What is not known to be the client's fault is ours, and its words stay in the log. */
export function refusalOf(error: unknown, occasion: Occasion): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof RequestRefused) return fromPlatform(error);
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

/** What the platform refuses, in its own words. */
function fromPlatform(error: RequestRefused): Refusal {
  const named = error.type.replace('/problems/', '');
  const kind = isProblemKind(named) && problemKinds[named].status === error.status ? named : 'invalid-parameter';
  const errors = error.errors.length > 0 ? error.errors : [{ pointer: '', ...parted(error.detail) }];
  return new Refusal(kind, {
    cause: error,
    errors: errors.map(({ pointer, detail, remedy }) => ({
      pointer,
      detail: sentence(withSubject(detail, `"${pointer.split('/').at(-1) ?? pointer}"`)),
      remedy: sentence(remedy),
    })),
  });
}

/** A sentence of the form `fault; remedy`. */
function parted(text: string): { detail: string; remedy: string } {
  const at = text.lastIndexOf(';');
  return at === -1
    ? { detail: text, remedy: 'look at it with GET to see how it stands' }
    : { detail: text.slice(0, at), remedy: text.slice(at + 1) };
}

/** What Express, its body reader and Nest's router throw. */
function fromHttp(error: HttpException, { method, path, methods }: Occasion): Refusal {
  switch (error.getStatus()) {
    case 404:
      if (methods.length > 0) {
        return new Refusal('method-not-allowed', {
          errors: [
            {
              pointer: '',
              detail: `${method} is not served at ${path}.`,
              remedy: `Use ${methods.join(' or ')}, or see /openapi.json.`,
            },
          ],
          headers: { Allow: methods.join(', ') },
        });
      }
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
