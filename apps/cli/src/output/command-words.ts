import { assertNever, type KnownFault, type Words } from '@longrun/contracts';

/** How a fault is worded at a command line, as far as that differs from how it is worded over HTTP. A new kind of fault is to be looked at here. */
export function commandWords(fault: KnownFault): Partial<Words> {
  switch (fault.code) {
    case 'token-missing':
    case 'token-malformed':
    case 'token-wrong':
      return {
        detail: 'The token is not the one of this API.',
        remedy:
          'Log in with its token (longrun login URL), set LONGRUN_TOKEN, or name the state folder that holds it by --state; longrun status says which is used.',
      };
    case 'not-found':
    case 'deleted':
      return { remedy: `See which there are: longrun ${listings[fault.facts.what]}` };
    case 'metric-unknown':
      return fault.facts.others === 0
        ? {}
        : { remedy: `See which there are: longrun metrics ${fault.facts.experiment}` };
    case 'checkpoint-unknown':
      return fault.facts.known.length > 0
        ? {}
        : {
            detail: `The experiment ${fault.facts.experiment} has no checkpoints yet.`,
            remedy: `See how far it is: longrun show ${fault.facts.experiment}`,
          };
    case 'checkpoint-damaged':
      return { remedy: `See which checkpoints are whole: longrun checkpoint verify ${fault.facts.experiment} --all` };
    case 'too-many-holds':
      return {
        remedy: `Try again when some have ended; what holds it, and until when: longrun checkpoint ls ${fault.facts.experiment}`,
      };
    case 'verification-busy':
      return { remedy: 'Try again when one of them has ended.' };
    case 'not-ready':
      return fault.facts.status === 'failed'
        ? {}
        : { remedy: `Wait until it is ready: longrun logs -f ${fault.facts.dataset}` };
    case 'ended-already':
      return { remedy: `See how it ended: longrun show ${fault.facts.id}` };
    case 'not-running':
      return { remedy: `Send it again when it runs: longrun logs -f ${fault.facts.experiment}` };
    case 'ending-already':
      return { remedy: `Wait until it has ended: longrun logs -f ${fault.facts.experiment}` };
    case 'not-ended':
      return { remedy: `Cancel it first: longrun cancel ${fault.facts.id}` };
    case 'dataset-used':
      return { remedy: `Wait until it has ended: longrun wait ${fault.facts.by.join(' ')}` };
    case 'dataset-succeeded':
    case 'still-converted': {
      const waited = fault.code === 'still-converted' ? fault.facts.dataset : fault.facts.by;
      return { remedy: `Wait until it has ended: longrun wait ${waited}` };
    }
    case 'not-current': {
      const { name, by } = fault.facts;
      return by === null ? {} : { remedy: `Rebuild that one: longrun rebuild ${name}` };
    }
    case 'copies-awaited':
      return { remedy: `Delete it when they run, or cancel them first: longrun cancel ${fault.facts.by[0] ?? 'ID'}` };
    case 'checkpoints-pinned': {
      const { experiment, checkpoints } = fault.facts;
      return { remedy: `Unpin first: longrun checkpoint unpin ${experiment} ${checkpoints[0] ?? ''}`.trimEnd() };
    }
    case 'made-deleted':
      return { remedy: 'Give another --idempotency-key to make another one.' };
    case 'name-taken':
      return { remedy: `Choose another name, or use that dataset: longrun show ${fault.facts.by}` };
    case 'key-reused':
      return {
        remedy: `Give another --idempotency-key, or see what this one has made: longrun show ${fault.facts.by}`,
      };
    case 'name-unknown':
      return fault.facts.near.length > 0 ? {} : { ...firstOnes[fault.facts.what] };
    case 'program-hash-unknown':
      return {
        remedy: `Give one of ${fault.facts.known.join(', ')}, or publish it first: longrun programs publish FILE`,
      };
    case 'program-damaged':
      return { remedy: 'Publish it again: longrun programs publish FILE. What was made with it stays as it is.' };
    case 'dataset-failed':
      return {
        remedy: `See how it failed: longrun show ${fault.facts.dataset}. Put that right and submit its spec again, with longrun submit.`,
      };
    case 'more-faults':
      return { remedy: 'Mend those above and submit it again to see the others.' };
    case 'body-too-large':
      return {
        detail: `It is larger than the ${fault.facts.limitBytes} bytes that the API accepts.`,
        remedy: 'Submit a smaller one, or start the API with a larger LONGRUN_BODY_LIMIT_BYTES.',
      };
    case 'json-too-large': {
      const { measure, limit } = fault.facts;
      return {
        detail: `It has more than the ${limit} ${measure} that the API accepts.`,
        remedy: `Keep the spec within ${limit} ${measure}; what is larger belongs into a dataset.`,
      };
    }
    case 'http-broken':
    case 'body-missing':
    case 'text-undecodable':
    case 'json-broken':
    case 'type-unsupported':
    case 'module-type-unsupported':
    case 'module-altered':
    case 'encoding-unsupported':
    case 'cursor-unknown':
      return { remedy: SAME_VERSION };
    case 'route-unknown':
    case 'method-unserved':
      return {
        detail: `The API has nothing at ${fault.facts.method} ${fault.facts.path}, which this command asks for.`,
        remedy: SAME_VERSION,
      };
    case 'unforeseen':
      return {
        remedy:
          'Try again; if it persists, see logs/api.log in the state folder of longrun up, or where that API runs, its log.',
      };
    case 'program-busy':
      return {
        remedy:
          'Submit it again in some seconds; if it lasts, the program takes very long for what others have submitted.',
      };
    case 'part-silent':
      return {
        remedy: 'See the logs of the services in the state folder of longrun up; it starts them again when they end.',
      };
    case 'origin-gone': {
      const { origin } = fault.facts;
      return { remedy: `Reproduce that one (longrun reproduce ${origin}) and continue what comes of it.` };
    }
    case 'origin-unknown':
      return { remedy: 'List the experiments with: longrun ls' };
    case 'origin-differs': {
      const { what } = fault.facts;
      return what === 'seed' ? {} : { remedy: `Give the same, or allow it: --allow ${what}` };
    }
    case 'missing':
    case 'wrong-type':
    case 'wrong-form':
    case 'unknown-key':
    case 'unknown-word':
    case 'out-of-range':
    case 'not-a-multiple':
    case 'wrong-format':
    case 'rule-broken':
    case 'threads-unavailable':
    case 'engine-unavailable':
    case 'program-broken':
    case 'not-failed':
    case 'dataset-deleted':
    case 'preemptions-spent':
    case 'program-unrecorded':
    case 'hyperparameters-unknown':
    case 'too-many-settings':
    case 'hyperparameter-ambiguous':
    case 'program-hash-malformed':
    case 'program-hash-ambiguous':
    case 'module-broken':
    case 'module-too-large':
    case 'file-unknown':
    case 'copy-unknown':
    case 'head-damaged':
    case 'dataset-damaged':
    case 'written-by-newer':
    case 'range-outside':
      return {};
    default:
      return assertNever(fault, 'fault');
  }
}

/** For a request that this command has not made as the API wants it. */
const SAME_VERSION = 'See that LONGRUN_URL names a Longrun API, and that it and this command are of the same version.';

/** The command that lists what there is. */
const listings = { experiment: 'ls', dataset: 'ls --datasets', worker: 'workers ls', program: 'programs' } as const;

/** What to do where there is none of a kind. */
const firstOnes: Readonly<Record<Extract<KnownFault, { code: 'name-unknown' }>['facts']['what'], Partial<Words>>> = {
  dataset: { remedy: 'There is none yet: submit its spec first, with longrun submit.' },
  program: { remedy: 'There is none yet: publish one first, with longrun programs publish.' },
  converter: {},
  hyperparameter: {},
};
