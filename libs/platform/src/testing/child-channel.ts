import { MESSAGES_FD } from '@longrun/contracts';

/**
 * JavaScript that gives the source of a child what speaks with its worker, without the manners of a `ParentLink`: `send(message, onSent)`
 * and `hear(onMessage)`, which keeps the process alive until the worker has gone.
 */
export const CHILD_CHANNEL = `
  import { Socket as ChannelSocket } from 'node:net';
  const channel = new ChannelSocket({ fd: ${MESSAGES_FD}, readable: true, writable: true });
  const send = (message, onSent) => channel.write(JSON.stringify(message) + '\\n', onSent);
  const hear = (onMessage) => {
    let begun = '';
    channel.setEncoding('utf8').on('data', (text) => {
      const lines = (begun + text).split('\\n');
      begun = lines.pop();
      for (const line of lines) onMessage(JSON.parse(line));
    });
  };
`;
