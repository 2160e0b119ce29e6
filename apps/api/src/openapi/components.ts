import {
  AttemptView,
  CheckpointFile,
  CheckpointFinding,
  CheckpointTensors,
  CheckpointVerification,
  CheckpointView,
  DatasetDescription,
  DatasetList,
  DatasetProgress,
  DatasetResult,
  DatasetSpec,
  DatasetSummary,
  DatasetDryRun,
  DatasetView,
  ExperimentExport,
  ExperimentList,
  ExperimentProgress,
  ExperimentResult,
  ExperimentSpec,
  ExperimentSummary,
  ExperimentDryRun,
  ExperimentView,
  ExportedExperiment,
  Json,
  JsonObject,
  LiveEvent,
  LogPage,
  Metric,
  MetricList,
  MetricSeries,
  MetricSeriesList,
  Problem,
  ProblemError,
  ProgramList,
  ProgramView,
  ReasonCode,
  RejectedCheckpoint,
  StoredCheckpointList,
  StoredCheckpointSummary,
  StoredCheckpointView,
  WorkerList,
  WorkerView,
} from '@longrun/contracts';
import { z } from 'zod';
import { Liveness, Readiness } from '../health/health-view.js';
import { examples } from './examples.js';

/** The schemas that clients know by name: each becomes one entry of `components.schemas`. */
const named = {
  AttemptView,
  CheckpointFile,
  CheckpointFinding,
  CheckpointTensors,
  CheckpointVerification,
  CheckpointView,
  DatasetDescription,
  DatasetList,
  DatasetProgress,
  DatasetResult,
  DatasetSpec,
  DatasetSummary,
  DatasetDryRun,
  DatasetView,
  ExperimentExport,
  ExperimentList,
  ExperimentProgress,
  ExperimentResult,
  ExperimentSpec,
  ExperimentSummary,
  ExperimentDryRun,
  ExperimentView,
  ExportedExperiment,
  Json,
  JsonObject,
  LiveEvent,
  Liveness,
  LogPage,
  Metric,
  MetricList,
  MetricSeries,
  MetricSeriesList,
  Problem,
  ProblemError,
  ProgramList,
  ProgramView,
  Readiness,
  ReasonCode,
  RejectedCheckpoint,
  StoredCheckpointList,
  StoredCheckpointSummary,
  StoredCheckpointView,
  WorkerList,
  WorkerView,
};

const byId = new Map<string, z.ZodType>(Object.entries(named));

const ids = new Map<z.core.$ZodType, string>(Object.entries(named).map(([id, schema]) => [schema, id]));

/** All that schemas say of themselves by `.meta()`, and the names of components, which are told here alone. */
class Registry extends z.core.$ZodRegistry<z.core.GlobalMeta> {
  override get(schema: z.core.$ZodType): z.core.GlobalMeta {
    const id = ids.get(schema);
    return { ...z.globalRegistry.get(schema), ...(id !== undefined && { id }) };
  }
}

const registry = new Registry();

/** A schema for one side of the wire, with the components that it refers to. */
export interface OpenApiSchema {
  readonly schema: unknown;
  readonly components: Readonly<Record<string, unknown>>;
}

/**
 * A zod schema as OpenAPI 3.1 says it. What a client may send differs from what it gets (defaults may be left out), so the
 * components of requests that differ have names ending in `Input`.
 */
export function openApiSchema(schema: z.ZodType, side: 'input' | 'output'): OpenApiSchema {
  const name = (id: string): string => (side === 'input' && differs(id) ? `${id}Input` : id);
  const { $schema: _, $defs, ...own } = jsonSchema(schema, side);
  return {
    schema: placed(own, name),
    components: Object.fromEntries(
      Object.entries($defs ?? {}).map(([id, definition]) => [name(id), placed(definition, name)]),
    ),
  };
}

function jsonSchema(schema: z.ZodType, side: 'input' | 'output'): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(schema, {
    io: side,
    metadata: registry,
    unrepresentable: 'any',
    override: (described) => {
      keysAsProperties(described);
      showExamples(described, side);
    },
  });
}

/** A record that has all of a list of keys is described as an object with these properties: generators of clients make fields of them. */
function keysAsProperties({ jsonSchema: described }: Overridden): void {
  const { propertyNames, required, additionalProperties } = described;
  if (propertyNames === undefined || required === undefined || additionalProperties === undefined) return;
  const properties = Object.fromEntries(required.map((key) => [key, additionalProperties]));
  delete described.propertyNames;
  Object.assign(described, { properties, additionalProperties: false });
}

/** Examples of what is sent are as people write them, those of what is answered have every default filled in. */
function showExamples({ zodSchema, jsonSchema: described }: Overridden, side: 'input' | 'output'): void {
  const found = examples.find(({ schema }) => Object.is(schema, zodSchema));
  if (found === undefined || described.$ref !== undefined) return;
  // Of `examples` Nest would leave the first: the document renames it.
  described['example'] = found.values.map((value) => (side === 'input' ? value : found.schema.parse(value)));
}

type Overridden = Parameters<NonNullable<z.core.ToJSONSchemaParams['override']>>[0];

function differs(id: string): boolean {
  const schema = byId.get(id);
  if (schema === undefined) return false;
  return JSON.stringify(jsonSchema(schema, 'input')) !== JSON.stringify(jsonSchema(schema, 'output'));
}

/** The same schema with its references moved from `$defs` to the components of the document. */
function placed(value: unknown, name: (id: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => placed(item, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inside]) =>
      key === '$ref' && typeof inside === 'string'
        ? [key, `#/components/schemas/${name(inside.replace('#/$defs/', ''))}`]
        : [key, placed(inside, name)],
    ),
  );
}
