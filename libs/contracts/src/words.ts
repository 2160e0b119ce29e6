import { assertNever } from './assert-never.js';
import type { RequestFault } from './fault.js';
import { nearestWord } from './nearest-word.js';

/** What is wrong and what to do about it: sentences. */
export interface Words {
  readonly detail: string;
  readonly remedy: string;
}

/**
 * A fault in words. Whoever speaks to people of another tool may word a fault's remedy itself, from its code and facts.
 *
 * @param whole what to call the document that the fault is in: `the body`, `the query`, `the spec`
 */
export function wordsOf(fault: RequestFault, whole: string): Words {
  const name = nameOf(fault, whole);
  switch (fault.code) {
    case 'missing': {
      const { forms, says } = fault.facts;
      return {
        detail: own(`${capital(name)} is missing`, says),
        remedy: forms.length === 0 ? `Add ${name}.` : `Add ${name}: ${forms.join(', or ')}.`,
      };
    }
    case 'wrong-type': {
      const { value, expected, forms, says } = fault.facts;
      return {
        detail: own(is(name, value), says, `, which is not ${expected}`),
        remedy: `Give ${forms.length === 0 ? expected : forms.join(', or ')}.`,
      };
    }
    case 'wrong-form': {
      const { value, forms, says } = fault.facts;
      return {
        detail: own(is(name, value), says, ', which fits none of the forms it can have'),
        remedy: forms.length === 0 ? 'Give one of its forms.' : `Give ${forms.join(', or ')}.`,
      };
    }
    case 'unknown-key': {
      const { key, known, nearest } = fault.facts;
      return {
        detail: `${JSON.stringify(key)} is not a key that is known in ${parentOf(fault, whole)}.`,
        remedy:
          (nearest === null ? 'Remove it. ' : `Did you mean "${nearest}"? Rename or remove it. `) +
          (known.length === 0 ? 'It takes no keys.' : `Known keys: ${known.join(', ')}.`),
      };
    }
    case 'unknown-word': {
      const { value, allowed, nearest, says } = fault.facts;
      const choice = allowed.map((word) => JSON.stringify(word)).join(', ');
      return {
        detail: own(is(name, value), says, ', which is not one of the values it can have'),
        remedy: `${nearest === null ? '' : `Did you mean "${nearest}"? `}Give ${allowed.length === 1 ? choice : `one of ${choice}`}.`,
      };
    }
    case 'out-of-range': {
      const { value, measure, size, relation, bound, says } = fault.facts;
      if (measure === 'number') {
        return {
          detail: own(is(name, value), says, `; it must be ${relation} ${bound}`),
          remedy: `Give a number ${relation === 'at least' || relation === 'at most' ? `of ${relation}` : relation} ${bound}.`,
        };
      }
      return {
        detail: own(`${capital(name)} has ${size} ${measure}`, says, `; it must have ${relation} ${bound}`),
        remedy: `Give ${relation} ${bound} ${measure}.`,
      };
    }
    case 'not-a-multiple':
      return {
        detail: own(is(name, fault.facts.value), fault.facts.says, `; it must be a multiple of ${fault.facts.divisor}`),
        remedy: `Give a multiple of ${fault.facts.divisor}.`,
      };
    case 'wrong-format': {
      const { value, format, pattern, says } = fault.facts;
      return {
        detail: own(is(name, value), says, `, which has not the form that it must have (${format})`),
        remedy: pattern === null ? `Give a valid ${format}.` : `Give a text that matches ${pattern}.`,
      };
    }
    case 'rule-broken': {
      const { value, byDefault, says, remedy } = fault.facts;
      return {
        detail: own(`${is(name, value)}${byDefault ? ' by default' : ''}`, says, ', which was refused'),
        remedy: remedy === null ? 'Give another one.' : sentence(capital(remedy)),
      };
    }
    case 'more-faults':
      return {
        detail: `There are ${fault.facts.count} more faults.`,
        remedy: 'Mend those above and send it again to see the others.',
      };
    case 'name-unknown':
      return {
        detail: `There is no ${fault.facts.what} ${JSON.stringify(fault.facts.name)}.`,
        remedy: oneOf(fault.facts),
      };
    case 'threads-unavailable': {
      const { threads, most } = fault.facts;
      return {
        detail: `${is(name, String(threads))}, and no worker that is known has more than ${most}.`,
        remedy: `Give at most ${most}, or start a worker with more threads first.`,
      };
    }
    case 'engine-unavailable': {
      const { engine, provider, known } = fault.facts;
      const nearest = nearestWord(provider ?? engine, known);
      return {
        detail: `${is(name, JSON.stringify(provider ?? engine))}, which no worker that is known has${provider === null ? '' : ` for ${engine}`}.`,
        remedy: `${nearest === undefined ? '' : `Did you mean "${nearest}"? `}Give ${known.join(' or ')}, or start a worker that has it first.`,
      };
    }
    case 'dataset-failed': {
      const { dataset, message } = fault.facts;
      return {
        detail:
          message === null ? `The dataset ${dataset} failed.` : sentence(`The dataset ${dataset} failed: ${message}`),
        remedy: 'Put right what is said there and submit the dataset again.',
      };
    }
    case 'program-broken':
      return {
        detail: sentence(
          `The program ${JSON.stringify(fault.facts.program)} cannot check its parameters: ${fault.facts.says}`,
        ),
        remedy: 'Mend the program, or tell whoever put it there.',
      };
    case 'program-hash-malformed': {
      const { name: program, prefix } = fault.facts;
      return {
        detail: `${JSON.stringify(prefix)} after ${program}@ is not the beginning of a SHA-256.`,
        remedy: `Give 6 to 64 of its first digits, 0-9 and a-f, or ${program} alone for the newest.`,
      };
    }
    case 'program-hash-ambiguous': {
      const { name: program, prefix, candidates } = fault.facts;
      return {
        detail: `Several programs ${program} begin with ${prefix}.`,
        remedy: `Give one of ${candidates.join(', ')}.`,
      };
    }
    case 'program-hash-unknown': {
      const { name: program, prefix, known } = fault.facts;
      return {
        detail: `No program ${program} begins with ${prefix}.`,
        remedy: `Give one of ${known.join(', ')}, or publish it first.`,
      };
    }
    case 'module-broken':
      return {
        detail: sentence(`The module cannot be published as ${fault.facts.program}: ${fault.facts.says}`),
        remedy: 'Mend the program and publish it again; nothing was kept of it.',
      };
    case 'module-altered':
      return {
        detail: `The body has the SHA-256 ${fault.facts.found}, and not ${fault.facts.said}, as the path says.`,
        remedy: 'Send the bytes as they were hashed, or the hash of those that are sent.',
      };
    case 'program-damaged':
      return {
        detail: sentence(`The module of the program ${fault.facts.program} is damaged: ${fault.facts.says}`),
        remedy: 'Publish it again: what was made with it stays as it is.',
      };
    case 'name-taken':
      return {
        detail: `${capital(name)} is ${JSON.stringify(fault.facts.name)}, which is taken by ${fault.facts.by}.`,
        remedy: 'Choose another name, or use that dataset.',
      };
    case 'key-reused':
      return {
        detail: `The idempotency key ${JSON.stringify(fault.facts.key)} was used for another request, which made ${fault.facts.by}.`,
        remedy: 'Use a new key for a new request.',
      };
    case 'made-deleted': {
      const { key, by, at } = fault.facts;
      return {
        detail: `The idempotency key ${JSON.stringify(key)} has made ${by}, which was deleted at ${at}.`,
        remedy: 'Use a new key to make another one.',
      };
    }
    case 'cursor-unknown':
      return {
        detail: `The cursor ${JSON.stringify(fault.facts.cursor)} is none that a list has answered.`,
        remedy: 'Give the nextCursor of a page, or leave it out.',
      };
    case 'not-found':
      return {
        detail: `There is no ${fault.facts.what} ${JSON.stringify(fault.facts.id)}.`,
        remedy: 'List them to see which there are.',
      };
    case 'deleted': {
      const { what, id, at } = fault.facts;
      return {
        detail: `The ${what} ${id} was deleted at ${at}.`,
        remedy: 'List them to see which there are; what was deleted does not come back.',
      };
    }
    case 'metric-unknown': {
      const { experiment, metric, near, others } = fault.facts;
      const some = near.map((one) => JSON.stringify(one)).join(', ');
      return {
        detail: `The experiment ${experiment} has logged no number as ${JSON.stringify(metric)}.`,
        remedy:
          near.length === 0
            ? 'It has logged none yet.'
            : `Give one of ${some}${others > 0 ? `, and ${others} more` : ''}.`,
      };
    }
    case 'checkpoint-unknown': {
      const { experiment, checkpoint, known } = fault.facts;
      return {
        detail: `The experiment ${experiment} has no checkpoint ${checkpoint}.`,
        remedy: known.length === 0 ? 'It has none yet.' : `Give one of ${known.join(', ')}, its step, or latest.`,
      };
    }
    case 'file-unknown': {
      const { checkpoint, name: file, known } = fault.facts;
      return {
        detail: `The checkpoint ${checkpoint} has no file ${JSON.stringify(file)}.`,
        remedy: known.length === 0 ? 'There is none.' : `Give one of ${known.join(', ')}.`,
      };
    }
    case 'copy-unknown':
      return {
        detail: `The checkpoint ${fault.facts.checkpoint} keeps ${JSON.stringify(fault.facts.name)} once: there is no second copy.`,
        remedy: 'Give 1, or no copy.',
      };
    case 'checkpoint-damaged':
      return {
        detail: sentence(`The checkpoint ${fault.facts.checkpoint} is damaged: ${fault.facts.says}`),
        remedy: 'Take another checkpoint; to verify them all says which are whole.',
      };
    case 'head-damaged':
      return {
        detail: sentence(`What says which checkpoints ${fault.facts.experiment} has is damaged: ${fault.facts.says}`),
        remedy: 'Look at that object in the object store.',
      };
    case 'dataset-damaged':
      return {
        detail: sentence(`The file of the dataset ${fault.facts.dataset} is damaged: ${fault.facts.says}`),
        remedy: 'Submit it under another name, which converts it again.',
      };
    case 'written-by-newer':
      return {
        detail: sentence(`A newer build has written the checkpoints of ${fault.facts.experiment}: ${fault.facts.says}`),
        remedy: 'Ask an API of that build.',
      };
    case 'too-many-holds': {
      const { checkpoint, holds } = fault.facts;
      return {
        detail: `The checkpoint ${checkpoint} has ${holds} holds, and no more are put on one: as many downloads of it are under way, or were broken off.`,
        remedy:
          'Send it again when some have ended; the list of checkpoints says what holds it, and when each hold passes by itself.',
      };
    }
    case 'not-ready': {
      const { dataset, status, message } = fault.facts;
      return {
        detail: own(`The dataset ${JSON.stringify(dataset)} has no file: it is ${status}`, message),
        remedy: status === 'failed' ? 'Submit it again.' : 'Ask again when it is ready.',
      };
    }
    case 'ended-already':
      return {
        detail: `The ${fault.facts.what} ${fault.facts.id} has ended already: it is ${fault.facts.status}.`,
        remedy: 'Look at it to see how it ended; there is nothing left to stop.',
      };
    case 'not-running':
      return {
        detail: `The experiment ${fault.facts.experiment} does not run: it is ${fault.facts.status}.`,
        remedy: 'Send it again when it runs.',
      };
    case 'ending-already':
      return {
        detail: `The experiment ${fault.facts.experiment} ${fault.facts.isCancelled ? 'was cancelled' : 'comes to its end'} and has not ended yet.`,
        remedy: 'Wait until it has ended, and look at it then.',
      };
    case 'hyperparameters-unknown': {
      const { experiment, status } = fault.facts;
      return {
        detail: `The experiment ${experiment} is ${status} and has not trained yet, so that what can be set is not known.`,
        remedy: 'Wait until it trains; or cancel it, and submit it with other params.',
      };
    }
    case 'too-many-settings': {
      const { experiment, limit } = fault.facts;
      return {
        detail: `Hyperparameters of the experiment ${experiment} were set ${limit} times, and are not set more often.`,
        remedy: 'Let its program change them by an extension.',
      };
    }
    case 'hyperparameter-ambiguous': {
      const { name: last, candidates } = fault.facts;
      return {
        detail: `Several hyperparameters are called ${JSON.stringify(last)}.`,
        remedy: `Give one of ${candidates.join(', ')}.`,
      };
    }
    case 'not-failed': {
      const { experiment, status } = fault.facts;
      return {
        detail: `The experiment ${experiment} is ${status}; only one that has failed or was cancelled is tried again.`,
        remedy:
          status === 'succeeded'
            ? 'Submit it anew to run it once more.'
            : 'Wait until it has ended, or cancel it first.',
      };
    }
    case 'not-ended': {
      const { what, id, status } = fault.facts;
      return {
        detail: `The ${what} ${id} has not ended: it is ${status}, and only what has ended is deleted.`,
        remedy: 'Cancel it first, and delete it when it has ended.',
      };
    }
    case 'copies-awaited': {
      const { experiment, by, others } = fault.facts;
      const [verb, have] = by.length + others === 1 ? ['begins', 'has'] : ['begin', 'have'];
      return {
        detail: `${listed(by, others)} ${verb} from a checkpoint of ${experiment}, and ${have} no copy of it yet.`,
        remedy: 'Delete it when they run, or cancel them first.',
      };
    }
    case 'checkpoints-pinned': {
      const { experiment, checkpoints } = fault.facts;
      const several = checkpoints.length > 1;
      return {
        detail: `The experiment ${experiment} has ${several ? 'checkpoints that are' : 'a checkpoint that is'} pinned: ${checkpoints.join(', ')}.`,
        remedy: `Unpin ${several ? 'them' : 'it'} first, or leave the experiment.`,
      };
    }
    case 'dataset-used': {
      const { dataset, by, others } = fault.facts;
      const isOne = by.length + others === 1;
      return {
        detail: `${listed(by, others)} ${isOne ? 'uses' : 'use'} the dataset ${JSON.stringify(dataset)}, and ${isOne ? 'has' : 'have'} not ended.`,
        remedy: `Delete it when ${isOne ? 'it has' : 'they have'} ended, or cancel ${isOne ? 'it' : 'them'} first.`,
      };
    }
    case 'dataset-succeeded': {
      const { dataset, by } = fault.facts;
      return {
        detail: `The dataset ${dataset} may yet get its name back: ${by}, which is to take its place, has not ended.`,
        remedy: 'Delete it when that has ended, or cancel that first.',
      };
    }
    case 'still-converted': {
      const { dataset, status } = fault.facts;
      return {
        detail: `The dataset ${dataset} has not ended: it is ${status}, and only what is ready is converted anew.`,
        remedy: 'Rebuild it when it is ready, or cancel it and submit it again.',
      };
    }
    case 'not-current': {
      const { dataset, name: called, by } = fault.facts;
      return {
        detail: `The name ${called} does not mean the dataset ${dataset}: ${by === null ? 'nothing' : by} has it.`,
        remedy: by === null ? 'Submit its spec again.' : `Rebuild ${called}, or submit its spec under another name.`,
      };
    }
    case 'dataset-deleted': {
      const { experiment, dataset, name: called } = fault.facts;
      return {
        detail: `The dataset ${called} (${dataset}) of the experiment ${experiment} was deleted.`,
        remedy: 'Submit it anew with a dataset that is there.',
      };
    }
    case 'origin-unknown':
      return {
        detail: `There is no experiment ${fault.facts.experiment} to go on from.`,
        remedy: 'Give the id of one that is there; the list of experiments has them.',
      };
    case 'origin-differs': {
      const { experiment, what, there, here } = fault.facts;
      const isSeed = what === 'seed';
      return {
        detail: `The ${what} of ${experiment}, which it is to go on from, ${what === 'datasets' ? 'are' : 'is'} ${there}, and here ${here}.`,
        remedy: isSeed
          ? `Give seed ${there}: all randomness goes on with it.`
          : `Give the same, or allow it: "from": { "allow": [${JSON.stringify(what)}] }.`,
      };
    }
    case 'preemptions-spent': {
      const { experiment, preemptions, limit } = fault.facts;
      return {
        detail: `The experiment ${experiment} was preempted ${preemptions} times, and its retry.maxPreemptions is ${limit}: one more would end it.`,
        remedy: 'Leave it, or submit it with a larger retry.maxPreemptions.',
      };
    }
    case 'program-unrecorded': {
      const { experiment, program } = fault.facts;
      return {
        detail: `The experiment ${experiment} is from before modules of programs were kept: which ${program} it ran is not known.`,
        remedy: 'Submit its spec anew, with the program that you mean.',
      };
    }
    case 'origin-gone': {
      const { experiment, origin, step } = fault.facts;
      return {
        detail: `The experiment ${experiment} began from the checkpoint of step ${step} of ${origin}, which is not there any more.`,
        remedy: `Reproduce ${origin} and continue that, or submit its spec anew from a checkpoint that is there; a pinned checkpoint stays.`,
      };
    }
    default:
      return assertNever(fault, 'fault');
  }
}

/** Some of several, and how many more there are. */
function listed(some: readonly string[], others: number): string {
  return `${some.join(', ')}${others > 0 ? `, and ${others} more,` : ''}`;
}

/** `"seed" is -3` */
function is(name: string, value: string | null): string {
  return `${capital(name)} is ${value ?? 'not given'}`;
}

/** What a schema says itself, after the value; else our own words. */
function own(start: string, says: string | null, ours = ''): string {
  return sentence(says === null ? `${start}${ours}` : `${start}: ${says}`);
}

function oneOf({ what, near, others }: Extract<RequestFault, { code: 'name-unknown' }>['facts']): string {
  if (near.length > 0) return `Give one of ${near.join(', ')}${others > 0 ? `, and ${others} more` : ''}.`;
  switch (what) {
    case 'program':
      return 'There is none yet: publish a program first.';
    case 'dataset':
      return 'There is none yet: submit a dataset first.';
    case 'hyperparameter':
      return 'Its algorithm has none that can be set.';
    case 'converter':
      return 'This installation has no converters.';
    default:
      return assertNever(what, 'kind of name');
  }
}

/** What to call the place of a fault: its key in quotes. */
function nameOf({ path, parameter }: Pick<RequestFault, 'path' | 'parameter'>, whole: string): string {
  const last = path.at(-1);
  if (last === undefined) return parameter === undefined ? whole : JSON.stringify(parameter);
  if (typeof last !== 'number') return JSON.stringify(last);
  const list = path.at(-2) ?? parameter;
  return list === undefined ? `entry ${last}` : `entry ${last} of ${JSON.stringify(list)}`;
}

/** What to call that in which a key stands. */
function parentOf({ path, parameter }: RequestFault, whole: string): string {
  if (path.length > 1) return nameOf({ path: path.slice(0, -1) }, whole);
  return path.length === 1 && parameter !== undefined ? JSON.stringify(parameter) : whole;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** With a full stop, where a clause has none of its own. */
function sentence(clause: string): string {
  return /[.!?…]$/.test(clause) ? clause : `${clause}.`;
}
