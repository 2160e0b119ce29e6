import { isValueFault, JsonObject, type ValueFault } from '@longrun/contracts';
import { z } from 'zod';

/** What the API tells a process that has one program loaded. The first message is `load`. */
export const ProgramCommand = z.discriminatedUnion('type', [
  /** The one program to import: that of this name in the folder. */
  z.object({ type: z.literal('load'), folder: z.string(), name: z.string() }),
  /** Check parameters by its schema. */
  z.object({ type: z.literal('check'), number: z.int(), params: JsonObject }),
]);
export type ProgramCommand = z.infer<typeof ProgramCommand>;

/** A fault that another process has found. */
const FoundFault = z
  .object({
    path: z.array(z.union([z.string(), z.number()])),
    code: z.string(),
    facts: z.unknown(),
  })
  .transform((fault, context): ValueFault => {
    if (isValueFault(fault)) return fault;
    context.addIssue({ code: 'custom', message: `${fault.code} is no fault of a value, or its facts are others` });
    return z.NEVER;
  });

/** What a process says of its program. It is the program's author who can say it. */
export const ProgramMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('loaded'),
    description: z.string().max(10_000),
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
  z.object({ type: z.literal('broken'), number: z.int().nullable(), says: z.string() }),
]);
export type ProgramMessage = z.infer<typeof ProgramMessage>;
