import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { z } from 'zod';

/** JPEG files of all kinds, by name: `goldens/jpegs.py`. */
export const JPEGS: ReadonlyMap<string, Uint8Array> = new Map(
  Object.entries(
    z
      .record(z.string(), z.base64())
      .parse(JSON.parse(readFileSync(new URL('goldens/jpegs.json', import.meta.url), 'utf8'))),
  ).map(([name, file]) => [name, Uint8Array.from(Buffer.from(file, 'base64'))]),
);

/** One of them. */
export function jpegOf(name: string): Uint8Array {
  const file = JPEGS.get(name);
  if (file === undefined) throw new Error(`there is no ${name} in goldens/jpegs.json`);
  return file;
}

/** What `sharp` makes of a file, as an image `(3, height, width)`; undefined where it refuses it. */
export async function bySharp(
  file: Uint8Array,
): Promise<{ readonly shape: number[]; readonly data: number[] } | undefined> {
  const read = sharp(file, { ignoreIcc: true }).toColourspace('srgb').removeAlpha().raw();
  const pixels = await read.toBuffer({ resolveWithObject: true }).catch(() => undefined);
  if (pixels === undefined) return undefined;
  const { height, width } = pixels.info;
  const size = height * width;
  const data = Array.from({ length: 3 * size }, (_, i) => pixels.data[(i % size) * 3 + Math.floor(i / size)] ?? NaN);
  return { shape: [3, height, width], data };
}
