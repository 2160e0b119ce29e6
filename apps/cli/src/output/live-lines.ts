import { cutLine, seenLine } from './seen-text.js';
import type { Terminal } from './terminal.js';

/**
 * A few lines at the bottom of the terminal that change in place, below what is said. Where no terminal can do that,
 * a line is printed only when its `milestone` changes.
 */
export class LiveLines {
  readonly #terminal: Terminal;
  readonly #lines = new Map<string, string>();
  readonly #milestones = new Map<string, string>();
  #drawn = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Sets the line with this key. `milestone`: what must have changed for the line to be worth a line of a plain log. */
  set(key: string, text: string, milestone: string): void {
    if (this.#terminal.interactive) {
      const changed = this.#lines.get(key) !== text;
      this.#lines.set(key, text);
      if (changed) this.#redraw();
    } else if (this.#milestones.get(key) !== milestone) {
      this.#terminal.say(text);
    }
    this.#milestones.set(key, milestone);
  }

  /** Says a line above the changing ones. */
  say(text: string): void {
    if (this.#terminal.interactive) this.#redraw(text);
    else this.#terminal.say(text);
  }

  /** Leaves the lines as they are now; what is set later begins below them. */
  settle(): void {
    this.#lines.clear();
    this.#drawn = 0;
  }

  #redraw(above?: string): void {
    // A line that wraps would take two rows, and one row would be erased.
    const lines = [...this.#lines.values()].map((line) => cutLine(seenLine(line), this.#terminal.columns - 1));
    this.#terminal.redraw(above === undefined ? lines : [above, ...lines], this.#drawn);
    this.#drawn = lines.length;
  }
}

/** `██████░░░░` for a share of 0 to 1. */
export function bar(share: number, width = 24): string {
  const filled = Math.floor(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
