import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

/**
 * Has the file that Node was started with trained as `longrun run` does, with the rest of its command line, where that file has made the program and exports it as
 * its default: `node my-experiment.ts --dataset file.hdf5`. Everywhere else this does nothing.
 *
 * @param maker the function that was called to make the program, by that file or another one
 * @param program what it has made
 */
export function runAsMain(maker: (...parameters: never[]) => unknown, program: object): void {
  const main = mainFile();
  if (main === undefined || ![pathToFileURL(main).href, main].includes(callerOf(maker) ?? '')) return;
  // Its module is not yet evaluated.
  setImmediate(() => {
    train(main, program).catch((error: unknown) => {
      console.error(error instanceof CommandMissing ? `${main}: ${error.message}` : error);
      process.exitCode = 1;
    });
  });
}

/** The file that this process was started with; undefined where that is none. */
function mainFile(): string | undefined {
  const [, main] = process.argv;
  if (main === undefined || !isMainThread) return undefined;
  try {
    return realpathSync(main);
  } catch {
    return undefined;
  }
}

/**
 * The file, or of an ES module the URL, that called a function which is being run. The text of a stack would not do: with `--enable-source-maps` it names
 * the sources of a file, and with `--stack-trace-limit` it may name none.
 */
function callerOf(callee: (...parameters: never[]) => unknown): string | undefined {
  const before: object = {
    prepareStackTrace: Reflect.get(Error, 'prepareStackTrace'),
    stackTraceLimit: Error.stackTraceLimit,
  };
  let file: string | undefined;
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_, [site]) => (file = site?.getFileName() ?? undefined);
    const trace: { stack?: unknown } = {};
    Error.captureStackTrace(trace, callee);
    // It is prepared when it is asked for.
    void trace.stack;
  } finally {
    Object.assign(Error, before);
  }
  return file;
}

async function train(main: string, program: object): Promise<void> {
  const module: unknown = await import(pathToFileURL(main).href);
  if (typeof module !== 'object' || module === null || Reflect.get(module, 'default') !== program) return;
  const command = commandFor(main);
  process.argv = [process.execPath, command, 'run', main, ...process.argv.slice(2)];
  await import(pathToFileURL(command).href);
}

/** The command line where the file's project has it. */
function commandFor(main: string): string {
  try {
    const manifest = createRequire(main).resolve('@longrun/cli/package.json');
    return join(dirname(manifest), 'bin', 'longrun.js');
  } catch (cause) {
    throw new CommandMissing(
      '@longrun/cli, which trains it, is not installed here; install it beside @longrun/blocks',
      {
        cause,
      },
    );
  }
}

class CommandMissing extends Error {
  override readonly name = 'CommandMissing';
}
