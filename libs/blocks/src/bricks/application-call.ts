import { madeFor, type Variable } from '@longrun/tensor';

import { addAnnotation, Annotation, setBlocksName, type AuxiliaryVariableOptions } from '../graph/annotations.js';
import type { BoundApplication } from './bound-application.js';

/** Options of a call by way of a {@link BoundApplication}. */
export interface CallOptions {
  /** Tells this call from others of the same application, for filtering. */
  readonly callId?: string;
}

/** One call of an application: annotates the variables that went in and came out (Blocks: `ApplicationCall`). */
export class ApplicationCall extends Annotation {
  readonly application: BoundApplication;
  /** `callId`, and what bricks note here. */
  readonly metadata: Map<string, unknown>;

  constructor(called: BoundApplication, options: CallOptions = {}) {
    super();
    this.application = called;
    this.metadata = new Map(options.callId === undefined ? [] : [['callId', options.callId]]);
  }

  /** Named `<brick>_<application>_<name>`, with Blocks name `name`; annotated with the brick as well. */
  override addAuxiliaryVariable(variable: Variable, options: AuxiliaryVariableOptions = {}): void {
    const { name, ...rest } = options;
    if (name !== undefined) nameWithin(this.application, variable, name);
    addAnnotation(variable, this.application.brick);
    super.addAuxiliaryVariable(variable, rest);
  }
}

/** Calls a variable `<brick>_<application>_<name>`, with Blocks name `name`. */
export function nameWithin(within: BoundApplication, variable: Variable, name: string): void {
  variable.name = `${within.brick.name}_${within.name}_${name}`;
  setBlocksName(variable, name);
}

/** The call that is going on, for adding auxiliary variables to it. Throws outside of application methods. */
export function currentCall(): ApplicationCall {
  const call = CALLS.at(-1);
  if (call === undefined) throw new Error('currentCall() is only of use inside a method with @application');
  return call;
}

/**
 * What `method` gives while `call` is the one that is going on: what it makes of the graph is of its brick. Warns where the brick that calls is not a parent of the one that is called, for
 * then the annotations do not show who made what.
 */
export function during<Result>(call: ApplicationCall, method: () => Result): Result {
  warnUnlessChild(call.application);
  CALLS.push(call);
  try {
    return madeFor(() => call.application.brick.uniquePath, method);
  } finally {
    CALLS.pop();
  }
}

/** The calls that are going on, outermost first. Building a graph is synchronous. */
const CALLS: ApplicationCall[] = [];

function warnUnlessChild(called: BoundApplication): void {
  const caller = CALLS.at(-1)?.application.brick;
  if (caller === undefined || caller === called.brick || caller.children.includes(called.brick)) return;
  process.emitWarning(
    `${caller.uniquePath} calls ${called.toString()}, which is not one of its children; ` +
      'add it with addChild(), or put @application on the method that calls it',
    'BrickWarning',
  );
}
