import { type DatasetSpec, type JsonObject, readValue, type ValueFault } from '@longrun/contracts';
import type { z } from 'zod';

import { nameUnknown } from './names.js';
import { refused } from './request-refused.js';

/** What is known of a converter that workers have. */
export interface KnownConverter {
  readonly name: string;
  /** Raised whenever the same input and params give another file than before. */
  readonly version: number;
  /** Reads the params of a spec, with their defaults. */
  readonly params: z.ZodType<JsonObject>;
  /** Whether what it downloads is checked against what is published, so that the same version makes the same of it. */
  pinsDownloads(params: JsonObject): boolean;
}

/**
 * A spec with the params of its converter, every default filled in; as it is where converters are not known.
 *
 * @throws RequestRefused for a converter that there is not, and for params that it refuses
 */
export function withParams(spec: DatasetSpec, converters: readonly KnownConverter[] | undefined): DatasetSpec {
  if (converters === undefined) return spec;
  const converter = converters.find(({ name }) => name === spec.converter);
  if (converter === undefined) {
    const names = converters.map(({ name }) => name);
    throw refused('invalid-request', [nameUnknown('converter', spec.converter, names)]);
  }
  const read = readValue(converter.params, spec.params);
  if (read.ok) return { ...spec, params: read.value };
  throw refused(
    'invalid-request',
    read.faults.map((fault): ValueFault => ({ ...fault, path: ['params', ...fault.path] })),
  );
}

/** A spec of before with the defaults that its converter has now; as it is where the converter reads it no more. */
export function withParamsIfRead(spec: DatasetSpec, converters: readonly KnownConverter[] | undefined): DatasetSpec {
  const params = converters?.find(({ name }) => name === spec.converter)?.params.safeParse(spec.params);
  return params?.success === true ? { ...spec, params: params.data } : spec;
}
