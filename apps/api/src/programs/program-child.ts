import type { ExperimentProgram } from '@longrun/blocks';
import { loadProgram } from '@longrun/blocks/programs';
import { JsonObject, readValue } from '@longrun/contracts';
import { ParentLink } from '@longrun/platform/child';
import { z } from 'zod';
import { ProgramCommand, type ProgramMessage, shortReason } from './program-messages.js';

/** The process of one program: imports it, says what it takes, and checks parameters by its schema. */
const parent = new ParentLink((message) => {
  const command = ProgramCommand.parse(message);
  if (command.type === 'load') void answer(null, async () => await load(command));
  else void checkEach(command);
});
let loading: Promise<ExperimentProgram> | undefined;
let answerBytes = 0;

async function load({ file, answerBytes: most }: Extract<ProgramCommand, { type: 'load' }>): Promise<ProgramMessage> {
  answerBytes = most;
  loading = loadProgram(file);
  const { description, params } = await loading;
  const schema = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' });
  return { type: 'loaded', description, params: JsonObject.parse(schema) };
}

/** None is begun before the answer to the one before it has left: what ends this process is the doing of the one that was not answered. */
async function checkEach({ number: first, params: all }: Extract<ProgramCommand, { type: 'check' }>): Promise<void> {
  for (const [index, params] of all.entries()) {
    const number = first + index;
    await answer(number, async () => await check(number, params));
  }
}

async function check(number: number, params: JsonObject): Promise<ProgramMessage> {
  if (loading === undefined) throw new Error('no program was loaded before its parameters were to be checked');
  const { params: schema } = await loading;
  const read = readValue(schema, params);
  const reading = read.ok
    ? { ok: true as const, value: JsonObject.parse(read.value) }
    : { ...read, faults: [...read.faults] };
  return { type: 'checked', number, reading };
}

async function answer(number: number | null, work: () => Promise<ProgramMessage>): Promise<void> {
  try {
    tell(await work());
  } catch (error) {
    tell(broken(number, sentenceOf(error)));
  }
  await parent.settled();
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${String(error)}`;
}

function broken(number: number | null, says: string): ProgramMessage {
  return { type: 'broken', number, says: shortReason(says) };
}

function tell(message: ProgramMessage): void {
  const bytes = Buffer.byteLength(JSON.stringify(message));
  if (bytes <= answerBytes) {
    parent.send(message);
    return;
  }
  const what = message.type === 'loaded' ? 'what it takes' : 'what it makes of its parameters';
  const number = message.type === 'loaded' ? null : message.number;
  parent.send(broken(number, `${what} has ${bytes} bytes as JSON, and may have ${answerBytes}`));
}
