import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { LiveEvent } from '@longrun/contracts';
import { follow, post } from '../platform/api-requests.js';
import { withServers } from '../platform/servers.js';
import { Stack } from './stack.js';

/** What is done to a worker under training. */
export type Signal = 'SIGKILL' | 'SIGTERM';

/** One worker that went, with times in milliseconds from its signal. */
export interface Fault {
  readonly signal: Signal;
  /** The newest step that was known of when the signal was sent. */
  readonly atStep: number;
  /** The step that the successor went on from. */
  readonly fromStep: number;
  /** Until the successor's trainer was built and had the checkpoint. */
  readonly startedMs: number;
  /** Until the log had the first step that the successor did. */
  readonly firstStepMs: number;
  /** Until the log had the step at which the signal was sent. */
  readonly sameStepMs: number;
}

/**
 * The demo's experiment, of which again and again the worker is sent a signal at a random step while another one is idle. Each time
 * a new worker takes the place of the one that went.
 */
export async function faults(signals: readonly Signal[]): Promise<Fault[]> {
  return await withServers('PGlite', async (servers) => {
    const stack = await Stack.start(servers);
    try {
      await stack.convert();
      await stack.worker();
      const id = await post(stack.agent, stack.url('/v1/experiments'), experiment);
      const run = new Run();
      await follow(stack.agent, stack.url(`/v1/experiments/${id}/events`), (event) => run.hear(event));
      const seen: Fault[] = [];
      for (const signal of signals) {
        await stack.worker();
        seen.push(await oneFault(stack, run, signal));
        const { fromStep, startedMs, firstStepMs } = seen.at(-1) ?? missing();
        console.log(
          `${seen.length}/${signals.length} ${signal}: step ${fromStep}, started after ${startedMs.toFixed(0)} ms, first step after ${firstStepMs.toFixed(0)} ms`,
        );
      }
      return seen;
    } finally {
      await stack.stop();
    }
  });
}

async function oneFault(stack: Stack, run: Run, signal: Signal): Promise<Fault> {
  const { fence, workerId, startStep } = await run.attempt(stack);
  const goal = startStep + randomInt(120, 260);
  await run.until(stack, () => run.step >= goal && run.checkpoints > 0);
  const atStep = run.step;
  const victim = stack.processOf(workerId);
  const sentAt = performance.now();
  victim.signal(signal);
  await run.until(stack, () => run.fence > fence && run.firstStepAt !== undefined && run.step >= atStep);
  await victim.exited;
  const next = await run.attempt(stack);
  const { firstStepAt, sameStepAt } = run.since(atStep);
  return {
    signal,
    atStep,
    fromStep: next.startStep,
    startedMs: next.at - sentAt,
    firstStepMs: firstStepAt - sentAt,
    sameStepMs: sameStepAt - sentAt,
  };
}

interface StartedAttempt {
  readonly fence: number;
  readonly workerId: string;
  readonly startStep: number;
  /** By this process's clock. */
  readonly at: number;
}

/** What is known of the run: of its newest attempt. */
class Run {
  checkpoints = 0;
  #attempt: StartedAttempt | undefined;
  #steps = new Map<number, number>();
  #ended = false;

  hear(event: LiveEvent): void {
    const at = performance.now();
    if (event.type === 'attempt_started') {
      const { fence, workerId, startStep } = event.data;
      this.#attempt = { fence, workerId, startStep, at };
      this.#steps = new Map();
    } else if (event.type === 'log_row' && event.data.fence === this.fence) {
      this.#steps.set(event.data.step, at);
    } else if (event.type === 'checkpoint') {
      this.checkpoints += 1;
    } else if (
      event.type === 'attempt_ended' &&
      event.data.reason !== 'worker_lost' &&
      event.data.reason !== 'preempted'
    ) {
      this.#ended = true;
    }
  }

  get fence(): number {
    return this.#attempt?.fence ?? 0;
  }

  /** The newest step of the attempt. */
  get step(): number {
    return Math.max(0, ...this.#steps.keys());
  }

  get firstStepAt(): number | undefined {
    const startStep = this.#attempt?.startStep ?? 0;
    return [...this.#steps].find(([step]) => step > startStep)?.[1];
  }

  since(atStep: number): { firstStepAt: number; sameStepAt: number } {
    const sameStepAt = [...this.#steps].find(([step]) => step >= atStep)?.[1];
    return { firstStepAt: this.firstStepAt ?? missing(), sameStepAt: sameStepAt ?? missing() };
  }

  async attempt(stack: Stack): Promise<StartedAttempt> {
    await this.until(stack, () => this.#attempt !== undefined);
    return this.#attempt ?? missing();
  }

  async until(stack: Stack, condition: () => boolean): Promise<void> {
    for (let waited = 0; !condition(); waited += 1) {
      if (this.#ended || waited > 60_000) throw new Error(`The run came to an end, or to a stop:\n${stack.output}`);
      await pause(2);
    }
  }
}

function missing(): never {
  throw new Error('There is none');
}

/** The demo's, but for its length: it is to outlast all that is done to it. */
const experiment = {
  name: 'fashion-mlp',
  program: 'mlp',
  params: {
    dims: [784, 500, 500, 10],
    activations: ['rectifier', 'rectifier', 'softmax'],
    batchSize: 128,
    epochs: 1_000,
    learningRate: 0.002,
    optimizer: 'adam',
  },
  dataset: 'fashion-mnist',
  seed: 1,
  checkpoint: { everyBatches: 100, keepLast: 3 },
  resources: { engine: 'onnxruntime', threads: 2 },
};
