import type { StoredFile } from '@longrun/platform';
import { unlessAborted } from '@longrun/serialization';
import type { Request, Response } from 'express';
import { refusal } from '../problems/refusal.js';
import { askedRange } from './byte-range.js';
import { untilGone } from './until-gone.js';

/** Whether large files pass through here, or are fetched from the store by whoever asks. */
export type Downloads = 'stream' | 'redirect';

/** Answers with files. */
export class FileAnswers {
  readonly #downloads: Downloads;

  constructor(downloads: Downloads) {
    this.#downloads = downloads;
  }

  /**
   * Answers with the file that `find` finds, or the range of it that was asked for, or says where to fetch that from. Both end when the client leaves.
   *
   * @throws Refusal of a range that is not in the file, and what the file throws
   */
  async send(request: Request, response: Response, find: (gone: AbortSignal) => Promise<StoredFile>): Promise<void> {
    await untilGone(response, async (gone) => {
      await sendFile(request, response, await find(gone), { downloads: this.#downloads, gone });
    });
  }
}

/**
 * Gives the bytes as fast as the client takes them. A file that turns out to be damaged on the way is cut off before its end, so that
 * whoever has got `Content-Length` bytes has what was put there.
 */
async function sendFile(
  { headers, method }: Pick<Request, 'headers' | 'method'>,
  response: Response,
  file: StoredFile,
  { downloads, gone }: { readonly downloads: Downloads; readonly gone: AbortSignal },
): Promise<void> {
  const { sha256, sizeBytes } = file;
  const tag = `"${sha256}"`;
  const facts = {
    ETag: tag,
    'Repr-Digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
    'Accept-Ranges': 'bytes',
    // Under a step or a name there may be other bytes by now: whoever keeps them asks.
    'Cache-Control': 'private, no-cache, no-transform',
  };
  if (headers['if-none-match'] === tag) return void response.status(304).set(facts).end();
  // The rest of a file that was another one is of no use, and a range is of a GET alone.
  const isSame = headers['if-range'] === undefined || headers['if-range'] === tag;
  const range = isSame && method === 'GET' ? askedRange(headers.range, sizeBytes) : undefined;
  if (range === null) {
    throw refusal(
      'range-not-satisfiable',
      [{ path: [], parameter: 'Range', code: 'range-outside', facts: { range: headers.range ?? '', sizeBytes } }],
      { headers: { 'Content-Range': `bytes */${sizeBytes}` } },
    );
  }
  const wantedBytes = range === undefined ? sizeBytes : range.end - range.start;
  // The store knows no `If-Range` of ours: it might give a part of what is another file by now.
  const isForStore = downloads === 'redirect' && method === 'GET' && isSame && wantedBytes >= LEAST_REDIRECTED_BYTES;
  const url = isForStore ? await file.url() : undefined;
  if (url !== undefined) {
    return void response
      .status(307)
      .set({ ...facts, 'Cache-Control': 'no-store', Location: url })
      .end();
  }
  const pieces = method === 'HEAD' ? undefined : file.read(range);
  // What fails at once still has a status to say it with.
  const first = await pieces?.next();
  response.status(range === undefined ? 200 : 206).set({
    ...facts,
    'Content-Type': 'application/octet-stream',
    'Content-Length': String(wantedBytes),
    'Content-Disposition': `attachment; filename="${file.name}"`,
    ...(range !== undefined && { 'Content-Range': `bytes ${range.start}-${range.end - 1}/${sizeBytes}` }),
  });
  if (pieces !== undefined && first?.done === false) {
    response.setTimeout(STALLED_MS, () => response.destroy());
    try {
      await written(response, first.value, gone);
      for await (const piece of pieces) await written(response, piece, gone);
    } finally {
      await pieces.return(undefined);
    }
  }
  response.end();
}

/** What is fetched in a moment costs less than to ask twice; and whoever reads a file in small ranges would have a checkpoint held at each. */
const LEAST_REDIRECTED_BYTES = 1024 * 1024;

/** A client that takes nothing for so long has its answer cut: it would keep open what is read. */
const STALLED_MS = 300_000;

/** Resolves when the system has taken the bytes: only then may whoever gave them write over them. */
async function written(response: Response, piece: Uint8Array, gone: AbortSignal): Promise<void> {
  await unlessAborted(gone, async () => {
    await new Promise<void>((resolve, reject) => {
      response.write(piece, (error) => (error instanceof Error ? reject(error) : resolve()));
    });
  });
}
