import { begunText, boundedFault, isValueFault, JsonObject, storableText, type ValueFault } from '@longrun/contracts';
import { z } from 'zod';

/** What the API tells a process that has one program loaded. The first message is `load`. */
export const ProgramCommand = z.discriminatedUnion('type', [
  /** The one module to import. No message of the process has more than `answerBytes`. */
  z.object({ type: z.literal('load'), file: z.string(), answerBytes: z.int() }),
  /** Check parameters by its schema, one after the other. The first have this number, and the next the next. */
  z.object({ type: z.literal('check'), number: z.int(), params: z.array(JsonObject) }),
]);
export type ProgramCommand = z.infer<typeof ProgramCommand>;

/** What a program says of why it is broken, cut to what a person reads. */
export function shortReason(says: string): string {
  return begunText(says, 2_000);
}

/** A fault that another process has found: it may say of it what it likes. */
const FoundFault = z
  .object({
    path: z.array(z.union([z.string(), z.number()])).max(1_000),
    code: z.string(),
    facts: z.unknown(),
  })
  .transform((fault, context): ValueFault => {
    if (isValueFault(fault)) return boundedFault(fault);
    const code = begunText(fault.code, 100);
    context.addIssue({ code: 'custom', message: `${code} is no fault of a value, or its facts are others` });
    return z.NEVER;
  });

/** What a process says of its program. It is the program's author who can say it. */
export const ProgramMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('loaded'),
    description: z.string().max(10_000).transform(storableText),
    /** JSON schema (draft 2020-12). */
    params: JsonObject,
  }),
  z.object({
    type: z.literal('checked'),
    number: z.int(),
    reading: z.discriminatedUnion('ok', [
      z.object({ ok: z.literal(true), value: JsonObject }),
      z.object({ ok: z.literal(false), faults: z.array(FoundFault).min(1).max(100) }),
    ]),
  }),
  /** It cannot be loaded, or not check the parameters of this number. */
  z.object({ type: z.literal('broken'), number: z.int().nullable(), says: z.string().transform(shortReason) }),
]);
export type ProgramMessage = z.infer<typeof ProgramMessage>;
