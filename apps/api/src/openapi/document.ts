import 'reflect-metadata';
import { problemKinds } from '@longrun/contracts';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { AppModule } from '../app.module.js';
import { openApiSchema } from './components.js';

/** Version of the REST interface; the routes carry its major number. */
const VERSION = '1.0.0';

/** The OpenAPI 3.1 description of every route, made without starting anything that they need. */
export async function describeRoutes(): Promise<OpenAPIObject> {
  const options = { preview: true, logger: false, abortOnError: false } as const;
  return openApiDocument(await NestFactory.create(AppModule.of(withoutParts), options));
}

function withoutParts(): never {
  throw new Error('An application that is only described has no parts');
}

/** The OpenAPI 3.1 description of every route of an application, as `/openapi.json` serves it. */
export function openApiDocument(application: INestApplication): OpenAPIObject {
  const frame = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Longrun')
    .setVersion(VERSION)
    .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
    .setDescription(description)
    .addServer('/', 'The API that serves this description.')
    .addTag('experiments', 'What is trained.')
    .addTag('metrics', 'What experiments have logged as numbers.')
    .addTag('checkpoints', 'What can be gone on from, as it lies in the object store.')
    .addTag('datasets', 'What is trained on: raw files converted to one HDF5 file.')
    .addTag('workers', 'What trains and converts.')
    .addTag('programs', 'What an experiment can run.')
    .addTag('session', 'Browsers that are signed in.')
    .addTag('service', 'The API itself.')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: TOKEN_DESCRIPTION }, 'token')
    .addSecurityRequirements('token')
    .build();
  const document = SwaggerModule.createDocument(application, frame, {
    autoTagControllers: false,
    operationIdFactory: (_controller, method) => method,
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? openApiSchema(schema, schemaType) : undefined,
  });
  for (const response of Object.values(document.paths).flatMap(problemResponses)) {
    // Nest describes every answer of a route by one media type.
    const [content] = Object.values(response.content ?? {});
    if (content !== undefined) response.content = { 'application/problem+json': content };
  }
  const schemas = Object.entries(document.components?.schemas ?? {});
  for (const schema of [...schemas.map(([, each]) => each), ...Object.values(document.paths).flatMap(bodySchemas)]) {
    if ('$ref' in schema || schema.example === undefined) continue;
    Object.assign(schema, { examples: schema.example });
    delete schema.example;
  }
  const sorted = schemas.toSorted(([left], [right]) => (left < right ? -1 : 1));
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(sorted) } };
}

function problemResponses(path: PathItemObject): ResponseObject[] {
  return operationsOf(path).flatMap((operation) =>
    Object.entries(operation.responses).flatMap(([status, response]) =>
      Number(status) < 400 || response === undefined || '$ref' in response ? [] : [response],
    ),
  );
}

/** What bodies are described by, of requests and of answers. */
function bodySchemas(path: PathItemObject): SchemaObject[] {
  return operationsOf(path)
    .flatMap(({ requestBody, responses }) => [requestBody, ...Object.values(responses)])
    .flatMap((body) => (body === undefined || '$ref' in body ? [] : Object.values(body.content ?? {})))
    .flatMap(({ schema }) => schema ?? []);
}

function operationsOf(path: PathItemObject): OperationObject[] {
  return [path.get, path.post, path.put, path.patch, path.delete].filter((operation) => operation !== undefined);
}

type PathItemObject = OpenAPIObject['paths'][string];
type OperationObject = NonNullable<PathItemObject['get']>;
type Responses = OperationObject['responses'];
type SchemaObject = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string];
type ResponseObject = Exclude<NonNullable<Responses[string]>, { $ref: string }>;

const TOKEN_DESCRIPTION =
  'The token is what `LONGRUN_TOKEN` says where the API was started, else the content of the file `token` in its state folder.';

const description = [
  'Long deep-learning experiments that survive preemption.',
  '',
  'Every answer of 400 and above is a problem document (RFC 9457, `application/problem+json`). Its `errors` name what is wrong: ' +
    'a JSON pointer into the body or the name of a parameter or header, a stable `code` with its `facts`, a sentence, and a remedy. Its `instance` is the id of the ' +
    'request in the log of the API. `type` is `/problems/` and one of these, where a page for people says what it means, with the codes that its errors have:',
  '',
  ...Object.entries(problemKinds).map(
    ([kind, { status, faults }]) =>
      `- \`${kind}\` (${status}): ${Object.keys(faults)
        .map((code) => `\`${code}\``)
        .join(', ')}`,
  ),
  '',
  'POST requests take an `Idempotency-Key` header: a repetition with the same key and body answers what the first one made.',
].join('\n');
