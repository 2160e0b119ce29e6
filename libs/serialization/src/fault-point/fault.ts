import { FAULT_POINTS, type FaultPoint, isFaultPoint } from './points.js';

/** What happens to a process at a fault point. */
export type FaultAction =
  /** It kills itself with SIGKILL. */
  | { readonly type: 'kill' }
  /** It stops itself with SIGSTOP, and goes on after a SIGCONT. */
  | { readonly type: 'stop' }
  /** The point throws an {@link InjectedFault} that says it, with this `code` as a system call's error has one. */
  | { readonly type: 'throw'; readonly code?: string }
  /** The point waits until there is this file. */
  | { readonly type: 'wait'; readonly file: string };

/** A fault that is to come. */
export interface Fault {
  readonly point: FaultPoint;
  readonly action: FaultAction;
  /** It fires from this passage of the point on, 1 being the first. */
  readonly fromPassage: number;
  /** And up to and with this one. */
  readonly toPassage: number;
}

/** Thrown at a fault point. */
export class InjectedFault extends Error {
  override readonly name = 'InjectedFault';
  readonly code: string | undefined;

  constructor(point: FaultPoint, code: string | undefined) {
    super(`${code === undefined ? '' : `${code}: `}a fault was put into ${point}, by LONGRUN_FAULT_POINTS or a test`);
    this.code = code;
  }
}

/**
 * Reads faults as they are written in an environment: `POINT=ACTION`, separated by commas, where an action is `kill`, `stop`,
 * `throw`, `throw:ENOSPC` or `wait:/path/of/a/file`, and `@3` or `@3-7` behind it says at which passages. Default `@1`.
 *
 * @throws Error with a sentence for the first that cannot be read
 */
export function parseFaults(text: string): Fault[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseFault);
}

/** A fault as {@link parseFaults} reads it. */
export function faultText({ point, action, fromPassage, toPassage }: Fault): string {
  return `${point}=${actionText(action)}@${fromPassage}${toPassage === fromPassage ? '' : `-${toPassage}`}`;
}

function actionText(action: FaultAction): string {
  if (action.type === 'wait') return `wait:${action.file}`;
  return action.type === 'throw' && action.code !== undefined ? `throw:${action.code}` : action.type;
}

function parseFault(text: string): Fault {
  const {
    point = text.split('=', 1)[0] ?? '',
    type = '',
    argument,
    from = '1',
    to = from,
  } = FAULT.exec(text)?.groups ?? {};
  if (!isFaultPoint(point)) {
    const names = Object.keys(FAULT_POINTS).join(', ');
    throw new Error(`${JSON.stringify(text)} names no fault point; give POINT=ACTION, where POINT is one of ${names}`);
  }
  const [fromPassage, toPassage] = [Number(from), Number(to)];
  const action = actionOf(type, argument);
  if (action === undefined || fromPassage < 1 || toPassage < fromPassage) {
    throw new Error(
      `${JSON.stringify(text)} is no fault; give an action of kill, stop, throw, throw:CODE or wait:FILE, and behind it @3 or @3-7 ` +
        'for the passages of the point at which it fires',
    );
  }
  return { point, action, fromPassage, toPassage };
}

function actionOf(type: string, argument: string | undefined): FaultAction | undefined {
  if (type === 'wait') return argument === undefined ? undefined : { type, file: argument };
  if (type === 'throw') return argument === undefined ? { type } : { type, code: argument };
  return (type === 'kill' || type === 'stop') && argument === undefined ? { type } : undefined;
}

const FAULT = /^(?<point>[a-z.-]+)=(?<type>[a-z]+)(?::(?<argument>[^@]+))?(?:@(?<from>\d{1,9})(?:-(?<to>\d{1,9}))?)?$/u;
