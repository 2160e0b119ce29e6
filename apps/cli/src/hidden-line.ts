import { type Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';

/**
 * A line that is typed or pasted at a terminal, which shows nothing of it; undefined when its end is typed instead (Ctrl+D). Ctrl+C ends the process,
 * as everywhere.
 */
export async function hiddenLine(input: Readable): Promise<string | undefined> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  lines.on('SIGINT', () => {
    lines.close();
    process.kill(process.pid, 'SIGINT');
  });
  try {
    return await new Promise((done) =>
      lines.once('line', (line) => done(withoutTakenBack(line))).once('close', () => done(undefined)),
    );
  } finally {
    lines.close();
  }
}

/** Without what was typed and taken back: on a dumb terminal (`TERM=dumb`) readline takes the key that does it for a character. */
function withoutTakenBack(line: string): string {
  const kept: string[] = [];
  for (const character of line) {
    if (character === '\u007F' || character === '\b') kept.pop();
    else kept.push(character);
  }
  return kept.join('');
}
