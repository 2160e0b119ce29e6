/** Where all experiments are served. */
export const EXPERIMENTS_PATH = '/v1/experiments';

/** Where one is served. */
export function experimentPath(id: string): string {
  return `${EXPERIMENTS_PATH}/${encodeURIComponent(id)}`;
}
