import type { Brick } from './brick.js';

/** The bricks among `topBricks` and all below for which `predicate` holds, each once, depth first. */
export function findBricks(topBricks: Iterable<Brick>, predicate: (brick: Brick) => boolean): Brick[] {
  const seen = new Set<Brick>();
  const visit = (brick: Brick): void => {
    if (seen.has(brick)) return;
    seen.add(brick);
    for (const child of brick.children) visit(child);
  };
  for (const brick of topBricks) visit(brick);
  return [...seen].filter(predicate);
}
