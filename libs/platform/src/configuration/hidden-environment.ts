import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { statFieldsIn } from '../processes/stat-fields.js';

/** Variables that a child may inherit: what programs and numeric libraries need to run, and nothing that could be a credential. */
const INHERITED_NAMES =
  /^(PATH|HOME|USER|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|SystemRoot|NODE_ENV|NODE_OPTIONS|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|(OMP|MKL|OPENBLAS|KMP|CUDA|NVIDIA|VK|TF|ORT)_[A-Z0-9_]+)$/;

/** The variables that children are given. */
export function environmentWithoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => INHERITED_NAMES.test(name)));
}

/**
 * Takes the values of all variables that children are not given out of what the system tells of this process: `/proc/<pid>/environ` shows
 * how a process was started to every process of the same user. `process.env` keeps them. To be called before a child is started; does nothing
 * where there is no /proc, or where it cannot be written. Returns whether they are hidden.
 */
export function hideEnvironment(): boolean {
  let memory: number | undefined;
  try {
    // Fields 50 and 51 are where the environment begins and ends.
    const fields = statFieldsIn(readFileSync('/proc/self/stat', 'utf8'));
    const [start, end] = [Number(fields[47]), Number(fields[48])];
    if (!(end > start)) return false;
    memory = openSync('/proc/self/mem', 'r+');
    const bytes = Buffer.alloc(end - start);
    readSync(memory, bytes, 0, bytes.length, start);
    let at = 0;
    for (const variable of bytes.toString('latin1').split('\0')) {
      const nameLength = variable.indexOf('=');
      const name = variable.slice(0, nameLength);
      const valueLength = variable.length - nameLength - 1;
      if (nameLength > 0 && valueLength > 0 && !INHERITED_NAMES.test(name)) {
        // Setting a variable moves it out of this part of the memory.
        const value = process.env[name];
        if (value !== undefined) process.env[name] = value;
        writeSync(memory, Buffer.alloc(valueLength, 'x'), 0, valueLength, start + at + nameLength + 1);
      }
      at += variable.length + 1;
    }
    return true;
  } catch {
    return false;
  } finally {
    if (memory !== undefined) closeSync(memory);
  }
}
