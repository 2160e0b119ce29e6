import { fstatSync } from 'node:fs';
import { Session } from 'node:inspector';
import { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { ChildSign, Whereabouts } from '@longrun/contracts';
import { killOwnGroup } from './own-group.js';
import { MARKS, type WatchdogData } from './watchdog-marks.js';

/**
 * A thread beside the main one, which may be caught in a loop or a native call and never come back: it ends the process when its worker
 * has gone, says in even pauses how far the main thread is, and finds out where it stands when the worker asks.
 */
const { parent, signsFd, beatEveryMs, question, marks }: WatchdogData = workerData;
/** What the main thread calls the places that it can be at. */
const places: string[] = [];

parentPort?.on('message', (name: string) => places.push(name));
setInterval(() => {
  if (process.ppid === parent) return;
  killOwnGroup();
  process.kill(process.pid, 'SIGKILL');
}, 500);

const signs = openSigns();
if (signs !== undefined) {
  setInterval(() => say({ type: 'beat', moves: mark('moves'), steps: mark('steps') }), beatEveryMs);
  signs.setEncoding('utf8');
  signs.on('data', (text: unknown) => {
    if (String(text).includes(question)) void whereabouts().then(say);
  });
}

/** Nobody listens where the process was not started by a worker. */
function openSigns(): Socket | undefined {
  try {
    if (!fstatSync(signsFd).isSocket()) return undefined;
    return new Socket({ fd: signsFd, readable: true, writable: true }).on('error', () => {});
  } catch {
    return undefined;
  }
}

function say(sign: ChildSign): void {
  signs?.write(`${JSON.stringify(sign)}\n`);
}

function mark(name: keyof typeof MARKS): number {
  return marks[MARKS[name]] ?? 0;
}

/** Has the main thread pause where it is, by an interrupt that JavaScript code heeds and a native call does not. */
async function whereabouts(): Promise<Whereabouts> {
  const session = new Session();
  session.connectToMainThread();
  const scripts = new Map<string, string>();
  session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params.url));
  let isAnswered = false;
  let awaits: string[] = [];
  const frames = await new Promise<string[] | undefined>((resolve) => {
    setTimeout(() => resolve(undefined), ANSWER_WITHIN_MS);
    session.on('Debugger.paused', ({ params }) => {
      resolve(
        params.callFrames.map(({ functionName, location }) => {
          const { scriptId, lineNumber, columnNumber = 0 } = location;
          const place = `${scripts.get(scriptId) ?? 'unknown'}:${lineNumber + 1}:${columnNumber + 1}`;
          return `at ${functionName === '' ? '<anonymous>' : functionName} (${place})`;
        }),
      );
      session.post('Debugger.resume');
    });
    session.post('Debugger.enable', (failure) => {
      // So it ends, too, when the session is closed before the main thread has heeded it.
      if (failure !== null) return;
      isAnswered = true;
      const expression = 'JSON.stringify(process.getActiveResourcesInfo())';
      session.post('Runtime.evaluate', { expression, returnByValue: true }, (error, answer) => {
        if (error === null) awaits = namesIn(answer.result.value);
      });
      session.post('Debugger.pause', () => setTimeout(() => resolve(undefined), PAUSED_WITHIN_MS));
    });
  });
  session.disconnect();
  return {
    type: 'whereabouts',
    place: short(places[mark('place') - 1] ?? 'its start', 200),
    found: frames !== undefined ? 'in_code' : isAnswered ? 'idle' : 'no_answer',
    frames: (frames ?? []).slice(0, 20).map((frame) => short(frame, 200)),
    awaits: awaits.slice(0, 20).map((name) => short(name, 60)),
  };
}

/** How long the main thread may take to answer. JavaScript code does at once, but for a busy machine that gives it no processor. */
const ANSWER_WITHIN_MS = 10_000;
/** How long it may take to its next statement, once it has answered that it will pause there; an idle one comes to none. */
const PAUSED_WITHIN_MS = 5_000;

function namesIn(json: unknown): string[] {
  const names: unknown = typeof json === 'string' ? JSON.parse(json) : [];
  return Array.isArray(names) ? [...new Set(names.map(String))] : [];
}

function short(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}
