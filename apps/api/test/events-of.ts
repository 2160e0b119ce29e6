import type { Service } from './service.js';

/** One server-sent event, or a comment between them. */
export interface Frame {
  readonly id?: string;
  readonly event?: string;
  readonly data?: unknown;
  readonly comment?: string;
  readonly retry?: string;
}

/** An open event stream of a service. */
export interface OpenStream {
  readonly response: Response;
  /** Everything that was sent, as it comes; ends when the service ends the stream. */
  readonly frames: AsyncGenerator<Frame, void, undefined>;
  /** Goes away as a closed browser tab does. */
  readonly leave: () => void;
}

/** Opens an event stream. */
export async function openEvents(
  service: Pick<Service, 'url' | 'token'>,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenStream> {
  const abort = new AbortController();
  const response = await fetch(new URL(path, service.url), {
    headers: { authorization: `Bearer ${service.token}`, ...headers },
    signal: abort.signal,
  });
  return { response, frames: framesOf(response), leave: () => abort.abort() };
}

async function* framesOf(response: Response): AsyncGenerator<Frame, void, undefined> {
  if (response.body === null) return;
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) yield frameOf(block);
  }
  if (text !== '') throw new Error(`The stream ended inside an event: ${text}`);
}

function frameOf(block: string): Frame {
  return Object.fromEntries(
    block.split('\n').map((line) => {
      const at = line.indexOf(':');
      const value = line.slice(at + 1).trim();
      if (at === 0) return ['comment', value];
      const field = line.slice(0, at);
      return [field, field === 'data' ? (JSON.parse(value) as unknown) : value];
    }),
  );
}
