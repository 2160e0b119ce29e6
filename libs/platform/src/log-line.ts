import { visibleText } from '@longrun/contracts';

/** A sentence as a line of a log. What it quotes of others can neither act on a terminal nor pass for a line of its own. */
export function logLine(sentence: string): string {
  return `${visibleText(sentence).replaceAll('\n', '\n    ')}\n`;
}
