import { assertNever, type ServiceFault, type ServicePart, textFaultWords, type Words } from '@longrun/contracts';

/** What is wrong with the HTTP of a request, or with this service, in words. Faults in what is asked for are worded by contracts. */
export function serviceWordsOf(fault: ServiceFault): Words {
  switch (fault.code) {
    case 'http-broken':
      return {
        detail: `The request cannot be read: ${fault.facts.says}.`,
        remedy:
          'Send well-formed HTTP/1.1: a path with valid percent-escapes, a body as long as Content-Length says, and headers of at most 16 KiB in all.',
      };
    case 'body-missing':
      return {
        detail: 'The body is empty.',
        remedy: 'Send a JSON object with the header "Content-Type: application/json".',
      };
    case 'text-undecodable':
      return textFaultWords(fault.facts, 'the body');
    case 'json-broken': {
      const { line, column, says, remedy } = fault.facts;
      return { detail: `The JSON breaks at line ${line}, column ${column}: ${says}`, remedy };
    }
    case 'token-missing':
      return {
        detail: 'The Authorization header is missing.',
        remedy: `Send the header "Authorization: Bearer TOKEN". ${WHERE_TOKEN}`,
      };
    case 'token-malformed':
      return {
        detail: 'The Authorization header is not of the form "Bearer TOKEN".',
        remedy: `Send the header "Authorization: Bearer TOKEN". ${WHERE_TOKEN}`,
      };
    case 'token-wrong':
      return { detail: 'The token is not the one of this API.', remedy: WHERE_TOKEN };
    case 'route-unknown':
      return {
        detail: `Nothing is served at ${fault.facts.method} ${fault.facts.path}.`,
        remedy: 'See /openapi.json for what is.',
      };
    case 'method-unserved': {
      const { method, path, methods } = fault.facts;
      return {
        detail: `${method} is not served at ${path}.`,
        remedy: `Use ${methods.join(' or ')}, or see /openapi.json.`,
      };
    }
    case 'body-too-large':
      return {
        detail: `The body is larger than the ${fault.facts.limitBytes} bytes that are accepted.`,
        remedy: 'Send less, or start the API with a larger LONGRUN_BODY_LIMIT_BYTES.',
      };
    case 'module-too-large':
      return {
        detail: `The module is larger than the ${fault.facts.limitBytes} bytes that are accepted.`,
        remedy: 'Import less; what is data belongs into a dataset.',
      };
    case 'json-too-large': {
      const { measure, limit, line } = fault.facts;
      return {
        detail: `In line ${line} the JSON of the body comes to have more than the ${limit} ${measure} that are accepted.`,
        remedy: `Keep within ${limit} ${measure}; what is larger belongs into a dataset.`,
      };
    }
    case 'type-unsupported': {
      const { type } = fault.facts;
      return {
        detail: type === null ? 'The body has no Content-Type.' : `The body is said to be ${JSON.stringify(type)}.`,
        remedy: 'Send JSON with the header "Content-Type: application/json".',
      };
    }
    case 'module-type-unsupported': {
      const { type } = fault.facts;
      return {
        detail: type === null ? 'The body has no Content-Type.' : `The body is said to be ${JSON.stringify(type)}.`,
        remedy: 'Send a module with the header "Content-Type: text/javascript".',
      };
    }
    case 'encoding-unsupported':
      return {
        detail: `The body cannot be decoded: ${fault.facts.says}.`,
        remedy: 'Send JSON in UTF-8, plain or packed with gzip, deflate or br.',
      };
    case 'unforeseen':
      return {
        detail: 'The API hit an error that it does not know.',
        remedy: 'Try again; if it persists, look for the "instance" of this document in the log of the API.',
      };
    case 'part-silent': {
      const { part, why } = fault.facts;
      return why === null ? parts[part] : { detail: why, remedy: parts[part].remedy };
    }
    case 'program-busy':
      return {
        detail: `The program ${JSON.stringify(fault.facts.program)} has ${fault.facts.waiting} requests to check already, which wait for each other.`,
        remedy:
          'Send it again in some seconds; if it lasts, a schema of the program takes very long for what others have sent.',
      };
    case 'verification-busy':
      return {
        detail: `${fault.facts.running} verifications and comparisons are under way already.`,
        remedy: 'Send it again when one of them has ended.',
      };
    case 'range-outside':
      return {
        detail: `The file has ${fault.facts.sizeBytes} bytes, and none of them is in the range ${JSON.stringify(fault.facts.range)}.`,
        remedy: `Ask for a range that begins before byte ${fault.facts.sizeBytes}.`,
      };
    default:
      return assertNever(fault, 'fault');
  }
}

const WHERE_TOKEN =
  `The token is what LONGRUN_TOKEN says where the API was started, else the content of the file "token" in its state folder: ` +
  `curl -H "Authorization: Bearer $(cat .longrun/token)" …`;

const parts: Readonly<Record<ServicePart, Words>> = {
  record: {
    detail: 'The record does not answer.',
    remedy: 'See that PostgreSQL at DATABASE_URL runs, or without it, that the state folder has space left.',
  },
  redis: {
    detail: 'Redis does not answer.',
    remedy: 'Start Redis at REDIS_URL; the API connects again by itself.',
  },
  objects: {
    detail: 'The object store does not take bytes.',
    remedy: 'See that the folder or bucket of LONGRUN_OBJECTS can be written and has space left.',
  },
  controller: {
    detail: 'No process leads: nothing is scheduled, and no events are taken in.',
    remedy: 'Wait some seconds for another to take over; if it lasts, start one with LONGRUN_ROLE all or controller.',
  },
  events: {
    detail: 'The events of the workers do not arrive.',
    remedy: 'Wait some seconds after Redis has come back; if it lasts, see the log of the API.',
  },
};
