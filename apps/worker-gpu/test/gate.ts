import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Where a run of `digits` waits for the test: it may be looked at, stopped and killed there, however busy the machine is. */
export class Gate {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  static async make(): Promise<Gate> {
    const folder = await mkdtemp(join(tmpdir(), 'longrun-gate-'));
    // The program is another user's, which looks whether there is a file.
    await chmod(folder, 0o755);
    onTestFinished(() => rm(folder, { recursive: true }));
    return new Gate(join(folder, 'open'));
  }

  /** Parameter `holds` of `digits`: no batch after this step begins before the gate is open, or a stop is asked for. */
  after(step: number): { readonly step: number; readonly file: string } {
    return { step, file: this.#file };
  }

  async open(): Promise<void> {
    await writeFile(this.#file, '');
  }
}
