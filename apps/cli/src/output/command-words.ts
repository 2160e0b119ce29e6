import type { KnownFault, Words } from '@longrun/contracts';

/** How a fault is worded at a command line, as far as that differs from how it is worded over HTTP. */
export function commandWords(fault: KnownFault): Partial<Words> {
  switch (fault.code) {
    case 'token-missing':
    case 'token-malformed':
    case 'token-wrong':
      return {
        detail: 'The token is not the one of this API.',
        remedy: 'Set LONGRUN_TOKEN, or name the state folder that holds the token of this API by --state.',
      };
    case 'not-found':
      return { remedy: `See which there are: longrun ${listings[fault.facts.what]}` };
    case 'ended-already':
      return { remedy: `See how it ended: longrun show ${fault.facts.id}` };
    case 'name-taken':
      return { remedy: `Choose another name, or use that dataset: longrun show ${fault.facts.by}` };
    case 'key-reused':
      return {
        remedy: `Give another --idempotency-key, or see what this one has made: longrun show ${fault.facts.by}`,
      };
    case 'name-unknown':
      return fault.facts.what === 'dataset' && fault.facts.near.length === 0
        ? { remedy: 'There is none yet: submit its spec first, with longrun submit.' }
        : {};
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
    case 'route-unknown':
    case 'method-unserved':
      return {
        detail: `The API has nothing at ${fault.facts.method} ${fault.facts.path}, which this command asks for.`,
        remedy: 'See that LONGRUN_URL names a Longrun API, and that it and this command are of the same version.',
      };
    case 'unforeseen':
      return {
        remedy:
          'Try again; if it persists, see logs/api.log in the state folder of longrun up, or where that API runs, its log.',
      };
    case 'part-silent':
      return {
        remedy: 'See the logs of the services in the state folder of longrun up; it starts them again when they end.',
      };
    default:
      return {};
  }
}

/** The command that lists what there is. */
const listings = { experiment: 'ls', dataset: 'ls --datasets', worker: 'workers ls' } as const;
