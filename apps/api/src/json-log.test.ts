import { expect, test, vi } from 'vitest';
import { JsonLog } from './json-log.js';

test('what others have sent acts on no terminal that shows the log', () => {
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    new JsonLog().log('request', { path: '/v1/\x9B2J\u202Ex', nested: { text: '\x1B[31m\nred' } });
  } finally {
    write.mockRestore();
  }
  expect(written).toHaveLength(1);
  for (const acting of ['\x9B', '\x1B', '\u202E', '\n{']) expect(written[0]).not.toContain(acting);
  expect(JSON.parse(written[0] ?? '')).toMatchObject({
    message: 'request',
    path: String.raw`/v1/\x9b2J\u202ex`,
    nested: { text: '\\x1b[31m\nred' },
  });
});
