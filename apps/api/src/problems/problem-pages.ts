import { type ProblemKind, problemKinds, problemType } from '@longrun/contracts';

/** What the page of a kind of problem says beyond its status, title and codes. */
interface ProblemPage {
  readonly means: string;
  readonly remedy: string;
}

/** The page to which the `type` of a problem document leads, for people: plain text. */
export function problemPage(kind: ProblemKind): string {
  const { status, title, faults } = problemKinds[kind];
  const { means, remedy } = pages[kind];
  return [
    `${title} (${problemType(kind)}, HTTP status ${status})`,
    `What it means\n  ${means}`,
    `What to do\n  ${remedy}`,
    `Codes of its errors\n${Object.keys(faults)
      .map((code) => `  ${code}`)
      .join('\n')}`,
    'Each entry of `errors` says where (`pointer`), what (`code`, with `facts` for programs, and `detail`), and what to change (`remedy`).\n' +
      'The log of the API has the request under the id in `instance`. All routes are described at /openapi.json.\n',
  ].join('\n\n');
}

/** True for a kind of problem, which has a page. */
export function isProblemKind(text: string): text is ProblemKind {
  return Object.hasOwn(pages, text);
}

const pages: Readonly<Record<ProblemKind, ProblemPage>> = {
  'bad-request': {
    means:
      'What came is not HTTP as the API reads it: a header, an address or a length that cannot be. It looked at nothing else.',
    remedy: 'Look at the client, or a proxy before the API; sent again as it is, it fails again.',
  },
  'malformed-json': {
    means:
      'A body of JSON was expected. There is none, it is not in UTF-8, or it breaks off or goes wrong at the place that is named.',
    remedy: 'Mend the body at that place and send it again. Nothing was done.',
  },
  'invalid-parameter': {
    means:
      'A value in the address or in a header is not one that this route takes. `pointer` is the name of the parameter or header.',
    remedy: 'Give what `remedy` says. Nothing was done.',
  },
  unauthenticated: {
    means: 'The request bears no token, or not the one of this API.',
    remedy:
      'Send `Authorization: Bearer TOKEN`. The token is what LONGRUN_TOKEN was where the API was started, or else what the file `token` in its state ' +
      'folder holds; at a command line, log in again with it.',
  },
  'unknown-route': {
    means: 'The API has nothing at this path.',
    remedy: 'Compare the path with those at /openapi.json. An older or newer version may have others.',
  },
  'not-found': {
    means:
      'The route is right, and what it names is not there: it never was, or (a checkpoint) it was removed for newer ones.',
    remedy: 'List what there is. An error that knows likely names, or all of them, has them in its facts.',
  },
  'method-not-allowed': {
    means: 'There is something at this path, and not for this method.',
    remedy: 'Use one of the methods of the `Allow` header.',
  },
  conflict: {
    means:
      'The request is well formed and contradicts what is there now: a name that is taken, a run that has ended, a key that was used.',
    remedy:
      'Look at what `facts` names and decide. Where it waits for something to end, the same request may be right later.',
  },
  'body-too-large': {
    means: 'The body has more bytes, values or levels than the API takes. It was not read to its end.',
    remedy:
      'Send less: what is large belongs into a dataset. Whoever runs the API can raise the limit of bytes (LONGRUN_BODY_LIMIT_BYTES).',
  },
  'unsupported-media-type': {
    means: 'The body says that it is of another type or encoding than this route takes.',
    remedy:
      'Send `Content-Type: application/json` (the module of a program: text/javascript), without a `Content-Encoding`.',
  },
  'invalid-request': {
    means:
      'The body is JSON and cannot be carried out: a field has a value that it must not have, names what is not there, or what this installation cannot do.',
    remedy: 'Change every field that is listed as its `remedy` says, and send it again. Nothing was recorded.',
  },
  'range-not-satisfiable': {
    means: 'The `Range` header asks for bytes after the end of the file.',
    remedy:
      'Ask for bytes below its size, which `Content-Range` says. Where all of the file has come, there is nothing left to ask for.',
  },
  'internal-error': {
    means:
      'Something failed that should not have: a bug, or trouble of the machine. What was asked for may or may not have been done.',
    remedy:
      'Look at how things stand, then try again: a submission with the same `Idempotency-Key` is made once. If it lasts, the log has the reason under the ' +
      'id in `instance`.',
  },
  unreadable: {
    means:
      'What is stored is damaged, or was written by a newer version. What is damaged is never served as if it were whole.',
    remedy:
      'Take another checkpoint, or publish or submit again what is damaged, as `remedy` says. Other checkpoints and copies are not touched by it.',
  },
  unavailable: {
    means:
      'A part that the API needs does not answer (record, Redis, object store), or it has as much to do of this kind as it takes at once.',
    remedy: 'Send the request again after the seconds of `Retry-After`. Experiments that run go on meanwhile.',
  },
};
