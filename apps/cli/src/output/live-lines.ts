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

  /** In one write, so that nothing flickers. */
  #redraw(above?: string): void {
    const erase = this.#drawn > 0 ? `\x1B[${this.#drawn}A\x1B[0J` : '';
    // A line that wraps would take two rows, and one row would be erased.
    const lines = [...this.#lines.values()].map((line) => truncated(line, this.#terminal.columns - 1));
    const shown = above === undefined ? lines : [above, ...lines];
    this.#terminal.write(erase + shown.map((line) => `${line}\n`).join(''));
    this.#drawn = lines.length;
  }
}

/** `██████░░░░` for a share of 0 to 1. */
export function bar(share: number, width = 24): string {
  const filled = Math.floor(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

/** Cuts what can be seen to `columns`, leaving colours whole. */
function truncated(line: string, columns: number): string {
  // eslint-disable-next-line no-control-regex -- control sequences are what is looked for
  const parts = line.split(/(\x1B\[[0-9;]*m)/);
  let left = columns;
  return parts
    .map((part) => {
      if (part.startsWith('\x1B')) return part;
      const shown = part.slice(0, Math.max(0, left));
      left -= shown.length;
      return shown;
    })
    .join('');
}
