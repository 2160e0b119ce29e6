import type { ExperimentProgram } from '@longrun/blocks';
import { loadProgram } from '@longrun/blocks/programs';
import { JsonObject, readValue } from '@longrun/contracts';
import { ParentLink } from '@longrun/platform/child';
import { z } from 'zod';
import { ProgramCommand, type ProgramMessage, shortReason } from './program-messages.js';

/** The process of one program: imports it, says what it takes, and checks parameters by its schema. */
const parent = new ParentLink((message) => {
  const command = ProgramCommand.parse(message);
  const number = command.type === 'check' ? command.number : null;
  obey(command).then(tell, (error: unknown) => tell(broken(number, sentenceOf(error))));
});
let loading: Promise<ExperimentProgram> | undefined;
let answerBytes = 0;

async function obey(command: ProgramCommand): Promise<ProgramMessage> {
  if (command.type === 'load') {
    answerBytes = command.answerBytes;
    loading = loadProgram(command.folder, command.name);
    const { description, params } = await loading;
    const schema = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' });
    return { type: 'loaded', description, params: JsonObject.parse(schema) };
  }
  if (loading === undefined) throw new Error('no program was loaded before its parameters were to be checked');
  const { params: schema } = await loading;
  const read = readValue(schema, command.params);
  const reading = read.ok
    ? { ok: true as const, value: JsonObject.parse(read.value) }
    : { ...read, faults: [...read.faults] };
  return { type: 'checked', number: command.number, reading };
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
