import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

/**
 * Has the file that Node was started with trained as `longrun run` does, with the rest of its command line, where that file has made the program and exports it as
 * its default: `node my-experiment.ts --dataset file.hdf5`. Everywhere else this does nothing.
 *
 * @param stack of the function that was called to make the program: the line below it says where from
 * @param program what it has made
 */
export function runAsMain(stack: string | undefined, program: object): void {
  const main = mainFile();
  const [, , calledFrom = ''] = stack?.split('\n') ?? [];
  if (main === undefined || !names(calledFrom, main)) return;
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

/** Whether a line of a stack is in a file. Of an ES module it has the URL. */
function names(line: string, file: string): boolean {
  return [pathToFileURL(file).href, file].some((name) => line.includes(`${name}:`));
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
