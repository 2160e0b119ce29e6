import { HttpException } from '@nestjs/common';
import { ObjectsUnreachable, RequestRefused } from '@longrun/platform';
import { isModuleUpload } from '../request/module-upload.js';
import { refusal, Refusal } from './refusal.js';

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
  if (error instanceof ObjectsUnreachable) {
    const facts = { part: 'objects', why: `The object store cannot be asked: ${error.message}.` } as const;
    return refusal('unavailable', [{ path: [], code: 'part-silent', facts }], {
      headers: { 'Retry-After': '5' },
      cause: error,
    });
  }
  if (error instanceof HttpException && error.getStatus() < 500) return fromHttp(error, occasion);
  return refusal('internal-error', [{ path: [], code: 'unforeseen', facts: {} }], { cause: error });
}

/** What the platform refuses: its options are parameters and headers here. */
function fromPlatform(error: RequestRefused): Refusal {
  const faults = error.faults.map((fault) =>
    fault.parameter === 'idempotencyKey' ? { ...fault, parameter: 'Idempotency-Key' } : fault,
  );
  return new Refusal(error.kind, faults, { cause: error });
}

/** What Express, its body reader and Nest's router throw. */
function fromHttp(error: HttpException, { method, path, methods }: Occasion): Refusal {
  switch (error.getStatus()) {
    case 404:
      if (methods.length > 0) {
        const facts = { method, path, methods: [...methods] };
        return refusal('method-not-allowed', [{ path: [], code: 'method-unserved', facts }], {
          headers: { Allow: methods.join(', ') },
        });
      }
      return refusal('unknown-route', [{ path: [], code: 'route-unknown', facts: { method, path } }]);
    case 413: {
      const facts = { limitBytes: Number(causeOf(error, 'limit')) };
      const code = isModuleUpload({ method, url: path }) ? 'module-too-large' : 'body-too-large';
      const fault = { path: [], parameter: 'Content-Length', code, facts } as const;
      return refusal('body-too-large', [fault], { cause: error });
    }
    case 415: {
      const parameter = causeOf(error, 'type') === 'encoding.unsupported' ? 'Content-Encoding' : 'Content-Type';
      const fault = { path: [], parameter, code: 'encoding-unsupported', facts: { says: error.message } } as const;
      return refusal('unsupported-media-type', [fault], { cause: error });
    }
    default:
      return refusal('bad-request', [{ path: [], code: 'http-broken', facts: { says: error.message } }], {
        cause: error,
      });
  }
}

/** A property of the http-errors object that Nest wrapped. */
function causeOf(error: HttpException, property: string): unknown {
  return typeof error.cause === 'object' && error.cause !== null ? Reflect.get(error.cause, property) : undefined;
}
