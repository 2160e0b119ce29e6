import type { KnownFault } from '@longrun/contracts';

/** What to do about a fault at a command line, where that is another thing than over HTTP; else undefined. */
export function commandRemedy(fault: KnownFault): string | undefined {
  switch (fault.code) {
    case 'token-missing':
    case 'token-malformed':
    case 'token-wrong':
      return 'Set LONGRUN_TOKEN, or name the state folder that holds the token of this API by --state.';
    case 'not-found':
      return `See which there are: longrun ${listings[fault.facts.what]}`;
    case 'ended-already':
      return `See how it ended: longrun show ${fault.facts.id}`;
    case 'name-taken':
      return `Choose another name, or use that dataset: longrun show ${fault.facts.by}`;
    case 'key-reused':
      return `Give another --idempotency-key, or see what this one has made: longrun show ${fault.facts.by}`;
    case 'name-unknown':
      return fault.facts.what === 'dataset' && fault.facts.near.length === 0
        ? 'There is none yet: submit its spec first, with longrun submit.'
        : undefined;
    case 'more-faults':
      return 'Mend those above and submit it again to see the others.';
    case 'part-silent':
      return 'See the logs of the services in the state folder of longrun up; it starts them again when they end.';
    default:
      return undefined;
  }
}

/** The command that lists what there is. */
const listings = { experiment: 'ls', dataset: 'ls --datasets', worker: 'workers ls' } as const;
