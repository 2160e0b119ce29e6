import { afterEach, beforeEach } from 'vitest';

/** Collects the warnings that the process emits during each test of a file: call the result to have them. */
export function collectWarnings(): () => Promise<string[]> {
  let messages: string[] = [];
  const listener = (warning: Error): void => void messages.push(warning.message);
  beforeEach(() => {
    messages = [];
    process.on('warning', listener);
  });
  afterEach(() => void process.off('warning', listener));
  return async () => {
    // Warnings are emitted on the next tick.
    await new Promise((resolve) => void setImmediate(resolve));
    return messages;
  };
}
