import { styleText } from 'node:util';

/** The colours and weights in use. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Where a command writes: results to stdout, everything said about them to stderr. */
export interface Terminal {
  /** A line of the result. */
  print(line: string): void;
  /** A line for the person who watches. */
  say(line: string): void;
  /** Text as it is, to the person who watches; control sequences only when `interactive`. */
  write(text: string): void;
  style(style: Style, text: string): string;
  /**
   * Has this called, in the place of ending the process, when nobody reads any more what is written: its terminal or the other end of
   * its pipe is gone. Absent where that cannot be.
   */
  onReaderLost?(listener: () => void): void;
  /** A person watches, at a terminal that can move its cursor. */
  readonly interactive: boolean;
  /** Characters in a line. */
  readonly columns: number;
  /** Characters in a line of the result; undefined where it goes to a file or another program, which gets it whole. */
  readonly resultColumns?: number | undefined;
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
  const interactive = stderr.isTTY && env['TERM'] !== 'dumb' && env['CI'] === undefined;
  const coloured = stdout.isTTY && stderr.isTTY && !env['NO_COLOR'];
  return {
    print: (line) => void stdout.write(`${line}\n`),
    say: (line) => void stderr.write(`${line}\n`),
    write: (text) => void stderr.write(text),
    onReaderLost: (listener) => void (readerLost = listener),
    style: (style, text) => (coloured ? styleText(style, text) : text),
    interactive,
    get columns() {
      return stderr.columns ?? stdout.columns ?? 100;
    },
    get resultColumns() {
      return stdout.isTTY ? stdout.columns : undefined;
    },
  };
}
