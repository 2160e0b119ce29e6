import type { WorkerEvent } from '@longrun/contracts';

import { Fifo } from './fifo.js';

/** An event as it waits, in the order of `order`. */
export interface WaitingEvent {
  readonly order: number;
  /** When it was given, ISO 8601. */
  readonly at: string;
  /** The event as JSON. */
  readonly json: string;
  readonly sizeBytes: number;
}

/**
 * Events that have no number yet, so that nobody has seen them and some may still be left out: log rows, which the log of
 * the checkpoints has too, and lines that a program printed. Where one is left out, an event says so, and those
 * that lie between two events of other types share one.
 */
export class EventBacklog {
  readonly #rows = new Fifo<WaitingRow>();
  readonly #lines = new Fifo<Waiting>();
  /** All others: never left out. */
  readonly #kept = new Fifo<Waiting>();
  readonly #skippedRows = new Fifo<Gap>();
  readonly #droppedLines = new Fifo<Gap>();
  /** Each in order; the oldest of all is the first of one of them. */
  readonly #lanes: readonly Fifo<Waiting | Gap>[] = [
    this.#rows,
    this.#lines,
    this.#kept,
    this.#skippedRows,
    this.#droppedLines,
  ];
  /** Grows with each event that is kept. */
  #stretch = 0;
  #sizeBytes = 0;

  /** What waits, in bytes of memory as far as they can be told. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** `order` of the oldest event that waits. */
  get oldestOrder(): number | undefined {
    return this.#oldestLane()?.first?.order;
  }

  /** @param order greater than that of all events before */
  push(order: number, at: string, event: WorkerEvent): void {
    const json = JSON.stringify(event);
    const waiting = { order, at, json, sizeBytes: weightOf(json), stretch: this.#stretch };
    this.#sizeBytes += waiting.sizeBytes;
    if (event.type === 'log_row') {
      this.#rows.push({ ...waiting, step: event.step });
    } else if (event.type === 'line') {
      this.#lines.push(waiting);
    } else {
      this.#kept.push(waiting);
      this.#stretch += 1;
    }
  }

  /** Takes the oldest event out. */
  take(): WaitingEvent | undefined {
    const oldest = this.#oldestLane()?.shift();
    if (oldest === undefined) return undefined;
    this.#sizeBytes -= oldest.sizeBytes;
    if (!('amount' in oldest)) return oldest;
    const json = JSON.stringify(oldest.event(oldest.amount));
    return { order: oldest.order, at: oldest.at, json, sizeBytes: weightOf(json) };
  }

  /** Leaves the oldest log row out, or where there is none the oldest line. False when there is neither. */
  shed(): boolean {
    const row = this.#rows.shift();
    if (row !== undefined) {
      this.#leaveOut(row, this.#skippedRows, skippedRows, (before) => Math.max(before, row.step));
      return true;
    }
    const line = this.#lines.shift();
    if (line === undefined) return false;
    this.#leaveOut(line, this.#droppedLines, droppedLines, (before) => before + 1);
    return true;
  }

  clear(): void {
    for (const lane of this.#lanes) lane.clear();
    this.#sizeBytes = 0;
  }

  #leaveOut(left: Waiting, gaps: Fifo<Gap>, event: Gap['event'], amount: (before: number) => number): void {
    this.#sizeBytes -= left.sizeBytes;
    const last = gaps.last;
    if (last?.stretch === left.stretch) {
      last.amount = amount(last.amount);
      return;
    }
    const { order, at, stretch } = left;
    gaps.push({ order, at, stretch, event, amount: amount(0), sizeBytes: EVENT_OVERHEAD_BYTES });
    this.#sizeBytes += EVENT_OVERHEAD_BYTES;
  }

  #oldestLane(): Fifo<Waiting | Gap> | undefined {
    let oldest: Fifo<Waiting | Gap> | undefined;
    for (const lane of this.#lanes)
      if (lane.first !== undefined && lane.first.order < (oldest?.first?.order ?? Infinity)) oldest = lane;
    return oldest;
  }
}

interface Waiting extends WaitingEvent {
  /** How many kept events came before it. */
  readonly stretch: number;
}

interface WaitingRow extends Waiting {
  readonly step: number;
}

/** Stands where events of one stretch were left out, at the place of the first of them. */
interface Gap extends Omit<Waiting, 'json'> {
  /** The last step, or the number of lines. */
  amount: number;
  readonly event: (amount: number) => WorkerEvent;
}

function skippedRows(toStep: number): WorkerEvent {
  return { type: 'log_skipped', toStep };
}

function droppedLines(count: number): WorkerEvent {
  const text = `[longrun] lines dropped here while the record took no events: ${count}`;
  return { type: 'line', stream: 'stderr', text };
}

function weightOf(json: string): number {
  return Buffer.byteLength(json) + EVENT_OVERHEAD_BYTES;
}

/** What an event takes in memory beside its text, at most. */
const EVENT_OVERHEAD_BYTES = 256;
