import { join } from 'node:path';
import { Contestant } from './contestant.js';
import { pythonRemedy, pythonWith } from './python.js';
import { checkout } from './report.js';

/** A peer in Python, or the lack of it. */
export interface PythonPeer {
  /** Undefined where the machine has no Python with what it needs. */
  readonly contestant?: Contestant;
  /** For a row: who does the same and how, or that it is missing. */
  readonly named: (how: string) => string;
  /** Why it is, and what to do. */
  readonly missing?: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Starts a script of `peers/`, where there is a Python with the modules that it needs; `name` is the one whose version it says. */
export async function pythonPeer(
  name: string,
  modules: readonly string[],
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<PythonPeer> {
  const python = pythonWith(modules);
  if (python === undefined) {
    const missing = `Python's ${name}, as there is no Python with ${modules.join(' and ')}: ${pythonRemedy(modules)}`;
    return { named: () => `no peer: ${name} of Python is missing`, missing, versions: {} };
  }
  const { contestant, hello } = await Contestant.start(
    name,
    python,
    [join(checkout, 'bench/peers', script), ...args],
    env,
  );
  return {
    contestant,
    named: (how) => `peer: ${name} of Python, ${how}`,
    versions: { [name]: String(hello[name]) },
  };
}
