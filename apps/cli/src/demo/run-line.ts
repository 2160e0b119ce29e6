import { type ExperimentProgress, type LiveEvent, visibleLine } from '@longrun/contracts';

import { duration, size } from '../output/amounts.js';
import { bar, type LiveLines } from '../output/live-lines.js';
import type { Terminal } from '../output/terminal.js';
import type { Fault, RunNews, RunRecord } from './run.js';

/** What a run's line is shown with. */
export interface RunLineOptions {
  readonly lines: LiveLines;
  readonly terminal: Terminal;
  readonly label: string;
}

/** One run as a progress bar, with the faults and the attempts said above it as they happen. */
export class RunLine {
  readonly #lines: LiveLines;
  readonly #terminal: Terminal;
  readonly #label: string;
  #progress: ExperimentProgress | undefined;
  #doing = 'queued';
  #lastFault: Fault | undefined;

  constructor({ lines, terminal, label }: RunLineOptions) {
    this.#lines = lines;
    this.#terminal = terminal;
    this.#label = label;
    this.#draw();
  }

  tell(news: RunNews): void {
    switch (news.kind) {
      case 'progress':
        this.#progress = news.progress;
        this.#doing =
          news.progress.step === news.progress.totalSteps
            ? 'finishing'
            : `${Math.round(news.progress.stepsPerSecond)} steps/s`;
        break;
      case 'fault':
        this.#doing = 'worker gone';
        this.#lastFault = news.fault;
        this.#sayFault(news.fault);
        break;
      case 'event':
        this.#event(news.event);
        break;
    }
    this.#draw();
  }

  /** The last state of the line. */
  finish({ view, totalMs }: RunRecord): void {
    this.#doing = `${view.status} after ${duration(totalMs)}`;
    this.#draw();
    this.#lines.settle();
  }

  #event(event: LiveEvent): void {
    if (event.type === 'attempt_started') {
      const { fence, startStep, restoredFrom, rejectedCheckpoints } = event.data;
      this.#doing = 'training';
      if (this.#lastFault !== undefined) {
        const after = duration(Date.now() - Date.parse(this.#lastFault.sentAt));
        const from =
          restoredFrom === null ? 'the start, for want of a checkpoint' : `the checkpoint at step ${startStep}`;
        this.#say(`attempt ${fence} goes on from ${from}, ${after} after the ${this.#lastFault.signal}`);
      }
      for (const { step, reason } of rejectedCheckpoints)
        this.#say(`the checkpoint at step ${step} was passed over: ${visibleLine(reason)}`);
    } else if (event.type === 'attempt_ended') {
      const { fence, reason, step, peakMemoryBytes } = event.data;
      this.#doing = reason;
      if (reason === 'succeeded') return;
      const memory = peakMemoryBytes === null ? '' : `, peak memory ${size(peakMemoryBytes)}`;
      this.#say(`attempt ${fence} ended: ${reason}${step === null ? '' : ` at step ${step}`}${memory}`);
    }
  }

  #sayFault(fault: Fault): void {
    const { signal, pid, sentAtStep, stepInEpoch, stepsPerEpoch } = fault;
    const where = `batch ${stepInEpoch} of ${stepsPerEpoch} in epoch ${Math.floor(sentAtStep / stepsPerEpoch) + 1}`;
    const style = signal === 'SIGKILL' ? 'red' : 'yellow';
    this.#lines.say(
      this.#terminal.style(style, `  ${signal} to worker-gpu (process ${pid}) at step ${sentAtStep}, ${where}`),
    );
  }

  #say(text: string): void {
    this.#lines.say(this.#terminal.style('dim', `  ${text}`));
  }

  #draw(): void {
    const { step = 0, totalSteps, epoch = 0, stepsPerEpoch } = this.#progress ?? {};
    const share = totalSteps === undefined ? 0 : step / totalSteps;
    const epochs =
      totalSteps === undefined || stepsPerEpoch === undefined ? undefined : Math.round(totalSteps / stepsPerEpoch);
    const where = epochs === undefined ? '' : `${step}/${totalSteps}  epoch ${Math.min(epoch + 1, epochs)}/${epochs}`;
    const label = this.#terminal.style('bold', this.#label.padEnd(14));
    const text = `${label}${bar(share)} ${String(Math.floor(100 * share)).padStart(3)} %  ${where.padEnd(22)}${this.#doing}`;
    const isRate = this.#doing.endsWith('steps/s');
    this.#lines.set(this.#label, text, `${Math.floor(share * 4)} ${isRate ? 'training' : this.#doing}`);
  }
}
