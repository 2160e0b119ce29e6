import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const Message = z.record(z.string(), z.unknown());
const Numbers = z.record(z.string(), z.number());

/**
 * A process that runs on request: it reads a line from stdin, a number of steps or a request in JSON, does that, and answers
 * with one JSON line. Its clock is its own, so that neither pipe nor parent is timed.
 */
export class Contestant {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.name = name;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    if (this.#child.stdout === null) throw new Error(`${name}: no pipe from its stdout`);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Starts the process and waits for its first line, which says that it is ready; its fields are `hello`. */
  static async start(
    name: string,
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ contestant: Contestant; hello: Record<string, unknown> }> {
    const contestant = new Contestant(name, command, args, env);
    return { contestant, hello: await contestant.#answer() };
  }

  /** Runs `steps` steps; resolves to the milliseconds that one of them took. */
  async run(steps: number): Promise<number> {
    this.#child.stdin?.write(`${steps}\n`);
    const { seconds, cost } = await this.#answer();
    if (typeof seconds !== 'number' || typeof cost !== 'number' || !Number.isFinite(cost)) {
      throw new Error(
        `${this.name}: expected {seconds, cost}, finite, but got seconds ${String(seconds)}, cost ${String(cost)}`,
      );
    }
    return (seconds * 1000) / steps;
  }

  /** Has a request done that is not of steps; resolves to the numbers that it answers with. */
  async ask(request: Readonly<Record<string, string | number>>): Promise<Readonly<Record<string, number>>> {
    return await this.askFor(Numbers, request);
  }

  /** The same for an answer of another form. */
  async askFor<T>(answer: z.ZodType<T>, request: Readonly<Record<string, string | number>>): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return answer.parse(await this.#answer());
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  /** Lets it end by itself, along with what it has started. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  async #answer(): Promise<Record<string, unknown>> {
    for (;;) {
      const line = await this.#answers.next();
      if (line.done === true) throw new Error(`${this.name} ended before it answered; its own words are above`);
      if (line.value.startsWith('{')) return Message.parse(JSON.parse(line.value));
      console.error(`${this.name}: ${line.value}`);
    }
  }
}
