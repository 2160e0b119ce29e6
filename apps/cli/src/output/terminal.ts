import { visibleJson } from '@longrun/contracts';

import { cutLine, seenLine, type Style, styled, writable } from './seen-text.js';

/** What a terminal writes to, and what is known of it. */
export interface TerminalOptions {
  /** Takes results: stdout. */
  readonly writeResult: (text: string) => void;
  /** Takes what is said about them: stderr. */
  readonly writeRemark: (text: string) => void;
  /** Whether styles are seen. Default false. */
  readonly coloured?: boolean;
  /** A person watches, at a terminal that can move its cursor. Default false. */
  readonly interactive?: boolean;
  /** Characters in a line. Default 100. */
  readonly columns?: () => number | undefined;
  /** Characters in a line of the result; undefined, the default, where it goes to a file or another program, which gets it whole. */
  readonly resultColumns?: () => number | undefined;
  /** See {@link Terminal.onReaderLost}. */
  readonly onReaderLost?: (listener: () => void) => void;
}

/**
 * Where a command writes: results to stdout, everything said about them to stderr. Nothing gets to either of them but through
 * here, and nothing acts on them but the styles that {@link Terminal.style} gives: every other control character, whoever wrote it, is seen as
 * an escape.
 */
export class Terminal {
  readonly #options: TerminalOptions;

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  /** A person watches, at a terminal that can move its cursor. */
  get interactive(): boolean {
    return this.#options.interactive === true;
  }

  /** Characters in a line. */
  get columns(): number {
    const columns = this.#options.columns?.();
    // A terminal that nobody has told its size has none.
    return columns === undefined || columns === 0 ? 100 : columns;
  }

  /** Characters in a line of the result; undefined where it goes to a file or another program, which gets it whole. */
  get resultColumns(): number | undefined {
    return this.#options.resultColumns?.();
  }

  /** A line of the result. */
  print(line: string): void {
    this.#options.writeResult(`${this.#writable(line)}\n`);
  }

  /** A value as a line of the result, or as several with an indent. It reads back as the same value. */
  printJson(value: unknown, indent?: number): void {
    this.print(visibleJson(value, indent));
  }

  /** A line for the person who watches. */
  say(line: string): void {
    this.#options.writeRemark(`${this.#writable(line)}\n`);
  }

  /** Lines in the place of the last `replaced` ones, for the person who watches; only when `interactive`, and in one write. */
  redraw(lines: readonly string[], replaced: number): void {
    const erase = replaced > 0 ? `\x1B[${replaced}A\x1B[0J` : '';
    this.#options.writeRemark(erase + lines.map((line) => `${this.#writable(line)}\n`).join(''));
  }

  /** A line in the place of the unfinished one, for the person who watches; only when `interactive`. It is cut to the width, and stays unfinished. */
  overwrite(line: string): void {
    this.#options.writeRemark(`\r\x1B[K${cutLine(seenLine(line), this.columns - 1)}`);
  }

  /** The text in a style, where that is seen. */
  style(style: Style, text: string): string {
    return styled(style, text);
  }

  /**
   * Has this called, in the place of ending the process, when nobody reads any more what is written: its terminal or the other end of
   * its pipe is gone.
   */
  onReaderLost(listener: () => void): void {
    this.#options.onReaderLost?.(listener);
  }

  #writable(text: string): string {
    return writable(text, this.#options.coloured === true);
  }
}

/** The terminal of this process. NO_COLOR takes the colours away. What is written to a reader that is gone is dropped. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  let readerLost: (() => void) | undefined;
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
      if (readerLost !== undefined) readerLost();
      // One that has seen enough (`longrun ls | head`) is no failure.
      else if (stream === stdout) process.exit(0);
    });
  }
  return new Terminal({
    writeResult: (text) => void stdout.write(text),
    writeRemark: (text) => void stderr.write(text),
    coloured: stdout.isTTY && stderr.isTTY && !env['NO_COLOR'],
    interactive: stderr.isTTY && env['TERM'] !== 'dumb' && env['CI'] === undefined,
    columns: () => stderr.columns ?? stdout.columns,
    resultColumns: () => (stdout.isTTY ? stdout.columns : undefined),
    onReaderLost: (listener) => void (readerLost = listener),
  });
}
