import { readFile } from 'node:fs/promises';

import { DatasetSpec, ExperimentSpec, problemErrors, type ProblemError } from '@longrun/contracts';
import { type Document, LineCounter, parseAllDocuments } from 'yaml';

import { applyOverride, type Override } from './override.js';

/** What a file asks for. */
export type Submission =
  | { readonly kind: 'experiment'; readonly spec: ExperimentSpec }
  | { readonly kind: 'dataset'; readonly spec: DatasetSpec };

/** A spec file cannot be submitted; each error names the line. */
export class SpecFileError extends Error {
  override readonly name = 'SpecFileError';

  constructor(
    message: string,
    readonly errors: readonly ProblemError[] = [],
  ) {
    super(message);
  }
}

/** Reads a YAML or JSON file (`-` is stdin), applies the overrides and checks it against its schema. */
export async function readSpecFile(path: string, overrides: readonly Override[] = []): Promise<Submission> {
  const text = await (path === '-' ? readAll(process.stdin) : readFile(path, 'utf8')).catch((error: unknown) => {
    throw new SpecFileError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  return parseSpec(text, path === '-' ? 'stdin' : path, overrides);
}

/** The spec in a text. `kind: experiment` or `kind: dataset` says what it is; without it, `program` or `converter` does. */
export function parseSpec(text: string, source: string, overrides: readonly Override[] = []): Submission {
  const lines = new LineCounter();
  const document = onlyDocument(text, source, lines);
  const read: unknown = document.toJS();
  if (!isRecord(read)) {
    throw new SpecFileError(
      `${source}: a spec is a mapping of keys to values, such as \`program: mlp\`; this is ${nameOf(read)}`,
    );
  }
  const { kind, ...body } = overrides.reduce(applyOverride, read);
  const schema = { experiment: ExperimentSpec, dataset: DatasetSpec }[kindOf(kind, body, source)];
  const checked = schema.safeParse(body);
  if (!checked.success) {
    const errors = problemErrors(checked.error).map((error) => ({
      ...error,
      pointer: locate(error.pointer, document, lines, source),
    }));
    throw new SpecFileError(`${source} is not a valid ${kindOf(kind, body, source)} spec`, errors);
  }
  return 'program' in checked.data
    ? { kind: 'experiment', spec: checked.data }
    : { kind: 'dataset', spec: checked.data };
}

function onlyDocument(text: string, source: string, lineCounter: LineCounter): Document {
  const documents = parseAllDocuments(text, { lineCounter, prettyErrors: true });
  const [document] = documents;
  if (!Array.isArray(documents) || document === undefined)
    throw new SpecFileError(`${source} is empty; write a spec into it`);
  if (documents.length > 1) {
    throw new SpecFileError(`${source} holds ${documents.length} YAML documents; give one spec a file`);
  }
  if (document.errors.length > 0) {
    const errors = document.errors.map(({ linePos, message }) => ({
      pointer: `${source}:${linePos?.[0].line ?? '?'}:${linePos?.[0].col ?? '?'}`,
      detail: message.split('\n')[0] ?? message,
      remedy: 'correct the syntax',
    }));
    throw new SpecFileError(`${source} is not valid YAML or JSON`, errors);
  }
  return document;
}

function kindOf(kind: unknown, body: Readonly<Record<string, unknown>>, source: string): Submission['kind'] {
  if (kind === 'experiment' || kind === 'dataset') return kind;
  if (kind !== undefined) {
    throw new SpecFileError(`${source}: kind is ${JSON.stringify(kind)}; give \`experiment\` or \`dataset\``);
  }
  if ('program' in body) return 'experiment';
  if ('converter' in body) return 'dataset';
  throw new SpecFileError(
    `${source}: this is neither an experiment (it has no \`program\`) nor a dataset (no \`converter\`)`,
  );
}

/** `params.batchSize (fashion-mlp.yaml:7)`; the nearest enclosing line for a key that is missing, none for an override's. */
function locate(pointer: string, document: Document, lines: LineCounter, source: string): string {
  const path = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const field = path.join('.') || 'the spec';
  const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  const range = isRecord(node) ? node['range'] : undefined;
  const start: unknown = Array.isArray(range) ? range[0] : undefined;
  return typeof start === 'number' ? `${field} (${source}:${lines.linePos(start).line})` : field;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  return Array.isArray(value) ? 'a list' : `the ${typeof value} ${JSON.stringify(value)}`;
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
