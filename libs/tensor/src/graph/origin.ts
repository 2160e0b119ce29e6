import { findSourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The packages beside this one: what is made in them was made for whoever called them. */
const PACKAGES = new URL('../../..', import.meta.url).href;
/** How many frames are looked at, and then, where the program is below them: each costs. A brick within bricks that takes a gradient is so far below its program. */
const FRAMES = [8, 30];

/**
 * Where in a program something was made, as Theano's `traceback` of a variable: the place in the call that led there which is nearest to it and
 * outside of this library and of packages that are installed. Takes some ten microseconds, and keeps nothing alive of what the program had then.
 */
export class Origin {
  /** The line of a stack trace. As text: a frame, or an error not yet looked at, holds each `this` and all that the functions refer to. */
  readonly #call: string | undefined = together === undefined ? programsCall(Origin) : together.call;

  /** The part of a model that it is of: that of the innermost {@link madeFor} it was made in. */
  readonly part: Part | undefined = presentPart;

  /** `/home/ann/model.js:12:15`; undefined where it was made by the library itself, or deeper below a program than is looked. */
  get place(): string | undefined {
    const found = CALL.exec(this.#call ?? '');
    if (found === null) return undefined;
    const [file, line, column] = [found[1] ?? found[2] ?? '', Number(found[3]), Number(found[4])];
    const source = findSourceMap(file)?.findOrigin(line, column);
    if (source === undefined || !('fileName' in source)) return `${pathOf(file)}:${line}:${column}`;
    return `${pathOf(source.fileName)}:${source.lineNumber}:${source.columnNumber}`;
  }
}

/** A part of a model, as it is called when somebody asks: `/mlp/linear_0`. */
export type Part = () => string;

/**
 * Calls `make`: the ops that it makes, and those that they become and that their gradients are made of, are of that part of a model, as the profile of a compiled
 * function says. Undefined: of none.
 */
export function madeFor<T>(part: Part | undefined, make: () => T): T {
  const around = presentPart;
  presentPart = part;
  try {
    return make();
  } finally {
    presentPart = around;
  }
}

let presentPart: Part | undefined;

/**
 * The call in the program that led here. All that it {@link makes} is made for it, so that the call is looked for once: to look for it again for each
 * of thousands would take longer than to make them.
 */
export class Caller {
  readonly #call: string | undefined = together === undefined ? programsCall(Caller) : together.call;

  /** Calls `make`, whose whole work is of this library: now, or when the call has long returned. */
  makes<T>(make: () => T): T {
    const around = together;
    together = { call: this.#call };
    try {
      return make();
    } finally {
      together = around;
    }
  }
}

/** Calls `make`: all that it makes is made for the one call in the program (see {@link Caller}). */
export function madeTogether<T>(make: () => T): T {
  return together === undefined ? new Caller().makes(make) : make();
}

/** Of what is made now; undefined where each is made for a call of its own. */
let together: { readonly call: string | undefined } | undefined;

/** `at model (/home/ann/model.js:12:15)`, or without the name of a function; the folders may have spaces and parentheses. */
const CALL = /^\s*at (?:.*? \((?=.*\)$)(.+)|(?:async )?(.+)):(\d+):(\d+)\)?$/mu;

/** What V8 asks for how deep a trace is, and what is made of it. */
const TRACES: {
  stackTraceLimit: number;
  prepareStackTrace?: ((error: Error, frames: NodeJS.CallSite[]) => unknown) | undefined;
} = Error;

/** The line of the stack trace, below the call of `callee`. */
function programsCall(callee: typeof Origin | typeof Caller): string | undefined {
  for (const limit of FRAMES) {
    const { call, isWhole } = callWithin(limit, callee);
    if (call !== undefined || isWhole) return call;
  }
  return undefined;
}

/** The same, looked for in so many frames; and whether there are no more of them. */
function callWithin(
  limit: number,
  callee: typeof Origin | typeof Caller,
): { readonly call: string | undefined; readonly isWhole: boolean } {
  const { stackTraceLimit, prepareStackTrace } = TRACES;
  const trace: { stack?: unknown } = {};
  let isWhole = false;
  TRACES.stackTraceLimit = limit;
  TRACES.prepareStackTrace = (error, frames) => {
    isWhole = frames.length < limit;
    const frame = frames.find(isOfProgram);
    if (frame === undefined) return undefined;
    // Who has set one knows of what the program was translated.
    const text = prepareStackTrace?.(error, [frame]);
    return typeof text === 'string'
      ? text
      : `at ${frame.getFileName()}:${frame.getLineNumber()}:${frame.getColumnNumber()}`;
  };
  try {
    Error.captureStackTrace(trace, callee);
    return { call: typeof trace.stack === 'string' ? trace.stack : undefined, isWhole };
  } finally {
    TRACES.stackTraceLimit = stackTraceLimit;
    TRACES.prepareStackTrace = prepareStackTrace;
  }
}

function isOfProgram(frame: NodeJS.CallSite): boolean {
  const file = frame.getFileName();
  // Evaluated code has none: who evaluated it has.
  if (typeof file !== 'string' || file.startsWith('node:') || /[\\/]node_modules[\\/]/u.test(file)) return false;
  return !(file.startsWith('/') ? `file://${file}` : file).startsWith(PACKAGES);
}

function pathOf(file: string): string {
  return file.startsWith('file://') ? fileURLToPath(file) : file;
}
