import { z } from 'zod';

import { Kind } from './ids.js';
import { DatasetStatus, ExperimentStatus } from './status.js';

/** A value as JSON, cut at 60 characters; null where there is none. */
const Shown = z.string().nullable();
/** What the schema itself says about its rule, a clause without a full stop; null where it has no words of its own. */
const Says = z.string().nullable();
/** What a value can be instead, as noun phrases: `an integer`, `an object with "folder"`. */
const Forms = z.array(z.string());
const None = z.object({});

/** What can be wrong with a value that a schema refused: the facts of each kind of fault, by its code. */
const valueFaults = {
  missing: z.object({ forms: Forms, says: Says }),
  'wrong-type': z.object({ value: Shown, expected: z.string(), forms: Forms, says: Says }),
  /** It fits no branch of a union, nor comes near one. */
  'wrong-form': z.object({ value: Shown, forms: Forms, says: Says }),
  'unknown-key': z.object({ key: z.string(), known: z.array(z.string()), nearest: z.string().nullable() }),
  'unknown-word': z.object({
    value: Shown,
    allowed: z.array(z.union([z.string(), z.number()])),
    nearest: z.string().nullable(),
    says: Says,
  }),
  'out-of-range': z.object({
    value: Shown,
    /** What was measured: the number itself, the characters of a text, the entries of a list. */
    measure: z.enum(['number', 'characters', 'entries']),
    /** Number of characters or entries; null for a number. */
    size: z.int().nullable(),
    relation: z.enum(['at least', 'more than', 'at most', 'less than']),
    bound: z.number(),
    says: Says,
  }),
  'not-a-multiple': z.object({ value: Shown, divisor: z.number(), says: Says }),
  'wrong-format': z.object({ value: Shown, format: z.string(), pattern: z.string().nullable(), says: Says }),
  /** A rule of the schema's own. `byDefault`: nobody gave the value. `remedy` is an imperative clause without a full stop. */
  'rule-broken': z.object({ value: Shown, byDefault: z.boolean(), says: Says, remedy: z.string().nullable() }),
  /** There are more faults than a refusal lists. */
  'more-faults': z.object({ count: z.int() }),
} as const;

export const ServicePart = z.enum(['record', 'redis', 'objects', 'controller', 'events']).meta({
  description:
    "What the service cannot serve without: the record, Redis, the object store, the process that leads, and the flow of workers' events into the record.",
});
export type ServicePart = z.infer<typeof ServicePart>;

/** A name that nothing has. `near` are the likest that there are, the likest first; `others` is how many more there are. */
const NameUnknown = z.object({
  what: z.enum(['program', 'dataset', 'converter', 'hyperparameter']),
  name: z.string(),
  near: z.array(z.string()),
  others: z.int(),
});

/** A program by the beginning of its SHA-256: that says which of its name is meant. */
const programFaults = {
  'program-hash-malformed': z.object({ name: z.string(), prefix: z.string() }),
  /** `candidates` are references that each mean one program. */
  'program-hash-ambiguous': z.object({ name: z.string(), prefix: z.string(), candidates: z.array(z.string()) }),
} as const;

/** `known` are the names of those that the experiment has. */
const CheckpointUnknown = z.object({ experiment: z.string(), checkpoint: z.string(), known: z.array(z.string()) });

/**
 * What can be wrong with a request, or with us. Each kind of problem has its HTTP status, its title, and the faults that it
 * lists, by their codes, with their facts. A problem document's `type` is `/problems/<kind>`.
 */
export const problemKinds = {
  'bad-request': {
    status: 400,
    title: 'The request cannot be read',
    faults: { 'http-broken': z.object({ says: z.string() }) },
  },
  'malformed-json': {
    status: 400,
    title: 'The body is not JSON',
    faults: {
      'body-missing': None,
      /** It is not in UTF-8. */
      'text-undecodable': z.object({
        line: z.int(),
        likely: z.enum(['UTF-16', 'UTF-32', 'ISO-8859-1 or Windows-1252']).nullable(),
      }),
      'json-broken': z.object({ line: z.int(), column: z.int(), says: z.string(), remedy: z.string() }),
    },
  },
  'invalid-parameter': {
    status: 400,
    title: 'A query parameter, path parameter or header is not valid',
    faults: { ...valueFaults, ...programFaults, 'cursor-unknown': z.object({ cursor: z.string() }) },
  },
  unauthenticated: {
    status: 401,
    title: 'A valid bearer token is required',
    faults: { 'token-missing': None, 'token-malformed': None, 'token-wrong': None },
  },
  'unknown-route': {
    status: 404,
    title: 'Nothing is served here',
    faults: { 'route-unknown': z.object({ method: z.string(), path: z.string() }) },
  },
  'not-found': {
    status: 404,
    title: 'There is no such thing',
    faults: {
      'not-found': z.object({ what: z.enum([...Kind.options, 'worker', 'program']), id: z.string() }),
      /** It was there until somebody deleted it, at this time. */
      deleted: z.object({ what: Kind, id: z.string(), at: z.iso.datetime() }),
      /** A metric that the experiment has not logged. `near` are the likest that it has; `others` is how many more there are. */
      'metric-unknown': z.object({
        experiment: z.string(),
        metric: z.string(),
        near: z.array(z.string()),
        others: z.int(),
      }),
      'checkpoint-unknown': CheckpointUnknown,
      'file-unknown': z.object({ checkpoint: z.string(), name: z.string(), known: z.array(z.string()) }),
      /** The second copy of a file that is kept once. */
      'copy-unknown': z.object({ checkpoint: z.string(), name: z.string() }),
    },
  },
  'method-not-allowed': {
    status: 405,
    title: 'The method is not served here',
    faults: { 'method-unserved': z.object({ method: z.string(), path: z.string(), methods: z.array(z.string()) }) },
  },
  conflict: {
    status: 409,
    title: 'The request contradicts what is there',
    faults: {
      /** The dataset `by` has the name. */
      'name-taken': z.object({ name: z.string(), by: z.string() }),
      /** The idempotency key was used for another request, which made `by`. */
      'key-reused': z.object({ key: z.string(), by: z.string() }),
      /** The same key with the same request: what it made was deleted, at this time. */
      'made-deleted': z.object({ key: z.string(), by: z.string(), at: z.iso.datetime() }),
      /** As many need the checkpoint as may at once. */
      'too-many-holds': z.object({ experiment: z.string(), checkpoint: z.string(), holds: z.int() }),
      /** A dataset that has no file: it waits, is being converted, or has failed (`message` says of what). */
      'not-ready': z.object({ dataset: z.string(), status: DatasetStatus, message: z.string().nullable() }),
      'ended-already': z.object({ what: Kind, id: z.string(), status: z.union([ExperimentStatus, DatasetStatus]) }),
      'not-running': z.object({ experiment: z.string(), status: ExperimentStatus }),
      /** It is on its way to its end: somebody has cancelled it, or its end is decided. */
      'ending-already': z.object({ experiment: z.string(), isCancelled: z.boolean() }),
      /** It has not ended, or has succeeded: there is nothing to try again. */
      'not-failed': z.object({ experiment: z.string(), status: ExperimentStatus }),
      /** The experiment is from before there were modules of programs: nobody knows which one it ran. */
      'program-unrecorded': z.object({ experiment: z.string(), program: z.string() }),
      /** The checkpoint that the experiment began from is not there any more, or another one is in its place. */
      'origin-gone': z.object({ experiment: z.string(), origin: z.string(), step: z.int() }),
      /** It has not trained yet, so nobody knows what can be set. */
      'hyperparameters-unknown': z.object({ experiment: z.string(), status: ExperimentStatus }),
      /** So many settings of hyperparameters were asked for that no more are taken. */
      'too-many-settings': z.object({ experiment: z.string(), limit: z.int() }),
      /** It is to be deleted, and has not ended. */
      'not-ended': z.object({ what: Kind, id: z.string(), status: z.union([ExperimentStatus, DatasetStatus]) }),
      /** It is to be deleted, and experiments that begin from a checkpoint of it have no copy of that yet: the first of them, and how many more. */
      'copies-awaited': z.object({ experiment: z.string(), by: z.array(z.string()), others: z.int() }),
      /** It is to be deleted, and has checkpoints that are pinned: these. */
      'checkpoints-pinned': z.object({ experiment: z.string(), checkpoints: z.array(z.string()) }),
      /** It is to be deleted, and experiments that have not ended use it: the first of them, and how many more. */
      'dataset-used': z.object({ dataset: z.string(), by: z.array(z.string()), others: z.int() }),
      /** It is to be deleted, and may yet get its name back: `by`, which has the name, has not ended. */
      'dataset-succeeded': z.object({ dataset: z.string(), by: z.string() }),
      /** It is to be converted anew, and still is converted. */
      'still-converted': z.object({ dataset: z.string(), status: DatasetStatus }),
      /** It is to be converted anew, and its name does not mean it: `by` has the name, or nobody. */
      'not-current': z.object({ dataset: z.string(), name: z.string(), by: z.string().nullable() }),
      /** It is to be tried again, and a dataset of it was deleted. */
      'dataset-deleted': z.object({ experiment: z.string(), dataset: z.string(), name: z.string() }),
      /** One preemption more would end it: `limit` is `retry.maxPreemptions` of its spec. */
      'preemptions-spent': z.object({ experiment: z.string(), preemptions: z.int(), limit: z.int() }),
    },
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    faults: {
      'body-too-large': z.object({ limitBytes: z.number() }),
      /** The module of a program, for which nobody sets the limit. */
      'module-too-large': z.object({ limitBytes: z.number() }),
      /** Its JSON has more of something than is accepted, at the place where it becomes too much. */
      'json-too-large': z.object({
        measure: z.enum(['levels', 'values', 'characters in a key']),
        limit: z.int(),
        line: z.int(),
      }),
    },
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is of another type than it must be',
    faults: {
      /** The media type that the body calls itself; null without one. */
      'type-unsupported': z.object({ type: z.string().nullable() }),
      /** The same, of what must be the module of a program. */
      'module-type-unsupported': z.object({ type: z.string().nullable() }),
      'encoding-unsupported': z.object({ says: z.string() }),
    },
  },
  'invalid-request': {
    status: 422,
    title: 'The request cannot be carried out',
    faults: {
      ...valueFaults,
      'name-unknown': NameUnknown,
      /** No worker that is known has so many; the largest has `most`. */
      'threads-unavailable': z.object({ threads: z.int(), most: z.int() }),
      /** No worker that is known has the engine, or the provider of it where one is asked for; `known` are those that there are. */
      'engine-unavailable': z.object({
        engine: z.string(),
        provider: z.string().nullable(),
        known: z.array(z.string()),
      }),
      /** The experiment that another one is to go on from. */
      'origin-unknown': z.object({ experiment: z.string() }),
      'checkpoint-unknown': CheckpointUnknown,
      /** Several hyperparameters have the name as their last part. */
      'hyperparameter-ambiguous': z.object({ name: z.string(), candidates: z.array(z.string()) }),
      /** It is to go on from an experiment that has another program, other datasets, or another seed: texts that say which. */
      'origin-differs': z.object({
        experiment: z.string(),
        what: z.enum(['program', 'datasets', 'seed']),
        there: z.string(),
        here: z.string(),
      }),
      'dataset-failed': z.object({ dataset: z.string(), message: z.string().nullable() }),
      /** The program of that name cannot check parameters: it threw, took too long, or is no program. */
      'program-broken': z.object({ program: z.string(), says: z.string() }),
      ...programFaults,
      /** No program of that name begins so; `known` are references to the newest that there are. */
      'program-hash-unknown': z.object({ name: z.string(), prefix: z.string(), known: z.array(z.string()) }),
      /** What was uploaded cannot be published as that: it threw, took too long, or is no program. */
      'module-broken': z.object({ program: z.string(), says: z.string() }),
      /** What was uploaded has another SHA-256 than it was said to have. */
      'module-altered': z.object({ said: z.string(), found: z.string() }),
    },
  },
  'range-not-satisfiable': {
    status: 416,
    title: 'The range has no bytes of the file',
    faults: { 'range-outside': z.object({ range: z.string(), sizeBytes: z.int() }) },
  },
  'internal-error': { status: 500, title: 'Something failed on our side', faults: { unforeseen: None } },
  unreadable: {
    status: 500,
    title: 'What is stored cannot be read',
    faults: {
      /** Each `says` what is wrong, a sentence without its full stop. */
      'checkpoint-damaged': z.object({ experiment: z.string(), checkpoint: z.string(), says: z.string() }),
      /** What says which checkpoints there are. */
      'head-damaged': z.object({ experiment: z.string(), says: z.string() }),
      'dataset-damaged': z.object({ dataset: z.string(), says: z.string() }),
      'program-damaged': z.object({ program: z.string(), says: z.string() }),
      'written-by-newer': z.object({ experiment: z.string(), says: z.string() }),
    },
  },
  unavailable: {
    status: 503,
    title: 'The service cannot answer now',
    faults: {
      'part-silent': z.object({
        part: ServicePart,
        /** What it says itself, where it says something. */ why: z.string().nullable(),
      }),
      /** So many questions to the program wait for their turn that no more are taken. */
      'program-busy': z.object({ program: z.string(), waiting: z.int() }),
      /** So many checkpoints are being verified, or experiments compared, that no more are begun. */
      'verification-busy': z.object({ running: z.int() }),
    },
  },
} as const satisfies Readonly<
  Record<string, { readonly status: number; readonly title: string; readonly faults: FactsByCode }>
>;

type FactsByCode = Readonly<Record<string, z.ZodObject>>;

export type ProblemKind = keyof typeof problemKinds;

/** Where in a request a fault is. */
export interface FaultPlace {
  /** The keys that lead to the value, from the outside in; none for the whole. */
  readonly path: readonly (string | number)[];
  /** The parameter or header that holds the value, where it is not the body. */
  readonly parameter?: string;
}

type Coded<Table extends FactsByCode> = {
  [Code in keyof Table & string]: FaultPlace & { readonly code: Code; readonly facts: z.output<Table[Code]> };
}[keyof Table & string];

/** A value that a schema refused. */
export type ValueFault = Coded<typeof valueFaults>;
/** The faults that a kind of problem lists. */
export type FaultOf<K extends ProblemKind> = { [Each in K]: Coded<(typeof problemKinds)[Each]['faults']> }[K];
/** One thing that is wrong: where, what, and the facts from which a client can word it. */
export type Fault = FaultOf<ProblemKind>;

/** The kinds of problem with what is asked for, whatever brought the request. */
export type RequestProblemKind = (typeof requestProblemKinds)[number];
const requestProblemKinds = [
  'invalid-parameter',
  'not-found',
  'conflict',
  'invalid-request',
  'unreadable',
] as const satisfies readonly ProblemKind[];
/** A request that cannot be carried out, or one of its values. */
export type RequestFault = FaultOf<RequestProblemKind>;
/** A request that was not even understood, or the service's own trouble. */
export type ServiceFault = FaultOf<Exclude<ProblemKind, RequestProblemKind>>;

/** A fault without its place: what a client can word. */
export type KnownFault = Placeless<Fault>;
type Placeless<F> = F extends Fault ? Pick<F, 'code' | 'facts'> : never;

/** The stable name of a kind of fault. */
export type FaultCode = Fault['code'];

/**
 * True for a fault with facts as this version knows them. A client that gets one of another version has only the words of the
 * document.
 */
export function isFault(value: { readonly code: string; readonly facts: unknown }): value is KnownFault {
  return Object.values(problemKinds).some(({ faults }) => {
    const facts: FactsByCode = faults;
    return Object.hasOwn(facts, value.code) && facts[value.code]?.safeParse(value.facts).success === true;
  });
}

/** True for a fault as {@link readValue} finds it: for what another process has found. */
export function isValueFault(
  fault: FaultPlace & { readonly code: string; readonly facts: unknown },
): fault is ValueFault {
  return Object.hasOwn(valueFaults, fault.code) && isFault(fault);
}

/** True for a fault in what is asked for, as against one in how the request was brought. */
export function isRequestFault(fault: Fault): fault is RequestFault {
  return requestProblemKinds.some((kind) => Object.hasOwn(problemKinds[kind].faults, fault.code));
}

/** `type` of the problem documents of a kind. */
export function problemType(kind: ProblemKind): string {
  return `/problems/${kind}`;
}
