import { createHash } from 'node:crypto';

import type { Platform } from '../platform.js';

/** Publishes a module, whatever it says; answers its SHA-256. */
export async function publishModule({ programs }: Platform, name: string, text: string | Uint8Array): Promise<string> {
  const module = Buffer.from(text);
  const sha256 = createHash('sha256').update(module).digest('hex');
  await programs.publish({ name, sha256, module });
  return sha256;
}
