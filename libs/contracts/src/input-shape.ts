import { z } from 'zod';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What a zod schema takes at each place of its value: the keys it knows and the forms a value can have. */
export class InputShape {
  readonly #root: JsonSchema;

  constructor(schema: z.ZodType) {
    this.#root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  }

  /** Every key that an object at this path can have; those of all branches where it is a union. */
  keysAt(path: readonly PropertyKey[]): readonly string[] {
    return [...new Set(this.#schemasAt(path).flatMap((schema) => Object.keys(schema.properties ?? {})))];
  }

  /** What a value at this path can be, as noun phrases: `an integer`, `an object with "folder"`. */
  formsAt(path: readonly PropertyKey[]): readonly string[] {
    return [...new Set(this.#schemasAt(path).flatMap((schema) => form(schema) ?? []))];
  }

  /** What stands at this path when nothing is given there; undefined where that is not known. */
  defaultAt(path: readonly PropertyKey[]): unknown {
    return this.#schemasAt(path).find((schema) => schema.default !== undefined)?.default;
  }

  #schemasAt(path: readonly PropertyKey[]): readonly JsonSchema[] {
    return path.reduce<readonly JsonSchema[]>(
      // Once each: the branches of a schema that contains itself double with every key.
      (schemas, key) => [...new Set(schemas.flatMap((schema) => this.#branches(inside(schema, key))))],
      this.#branches(this.#root),
    );
  }

  #branches(schema: JsonSchema | boolean | undefined): JsonSchema[] {
    if (typeof schema !== 'object') return [];
    if (schema.$ref !== undefined) return this.#branches(this.#root.$defs?.[schema.$ref.replace('#/$defs/', '')]);
    const choices = schema.anyOf ?? schema.oneOf;
    return choices === undefined ? [schema] : choices.flatMap((choice) => this.#branches(choice));
  }
}

function inside(schema: JsonSchema, key: PropertyKey): JsonSchema | boolean | undefined {
  if (typeof key !== 'number') return schema.properties?.[String(key)] ?? schema.additionalProperties;
  return schema.prefixItems?.[key] ?? (Array.isArray(schema.items) ? undefined : schema.items);
}

function form(schema: JsonSchema): string | undefined {
  if (schema.enum !== undefined) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === 'object' && schema.required !== undefined && schema.required.length > 0) {
    return `an object with ${schema.required.map((key) => `"${key}"`).join(', ')}`;
  }
  return schema.type === undefined ? undefined : [schema.type].flat().map(typeNoun).join(' or ');
}

/** A type of JSON or of zod as a noun phrase. */
export function typeNoun(type: string): string {
  return nouns.get(type) ?? `a ${type}`;
}

const nouns = new Map([
  ['array', 'an array'],
  ['boolean', 'true or false'],
  ['int', 'an integer'],
  ['integer', 'an integer'],
  ['null', 'null'],
  ['object', 'an object'],
  ['record', 'an object'],
  ['undefined', 'nothing'],
]);
