/** The packages beside this one: what is made in them was made for whoever called them. */
const PACKAGES = new URL('../../..', import.meta.url).href;
/** A brick within bricks that takes a gradient is so far below its program. */
const FRAMES = 30;

/**
 * Where in a program something was made, as Theano's `traceback` of a variable: the place in the call that led there which is nearest to it and
 * outside of this library and of packages that are installed. Cheap to take, a few microseconds; found when it is asked for.
 */
export class Origin {
  /** Of an error that nobody throws: its text is made at the first look. */
  readonly #trace: { stack?: string } = {};

  constructor() {
    const before = Error.stackTraceLimit;
    Error.stackTraceLimit = FRAMES;
    Error.captureStackTrace(this.#trace, Origin);
    Error.stackTraceLimit = before;
  }

  /** `/home/ann/model.js:12:15`; undefined where it was made by the library itself, or deeper below a program than is looked. */
  get place(): string | undefined {
    for (const line of this.#trace.stack?.split('\n') ?? []) {
      const place = PLACE.exec(line)?.groups?.['place'];
      if (place !== undefined && isOfProgram(place)) return place.replace(/^file:\/\//u, '');
    }
    return undefined;
  }
}

const PLACE = /(?:^\s*at |\()(?:async )?(?<place>[^()\s]+:\d+:\d+)\)?$/u;

function isOfProgram(place: string): boolean {
  if (place.startsWith('node:') || place.includes('/node_modules/')) return false;
  return !(place.startsWith('/') ? `file://${place}` : place).startsWith(PACKAGES);
}
