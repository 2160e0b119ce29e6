import { readFile } from 'node:fs/promises';

import {
  DatasetSpec,
  decodeText,
  ExperimentSpec,
  MAX_FAULTS,
  readValue,
  textFaultWords,
  type Words,
  wordsOf,
} from '@longrun/contracts';
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from 'yaml';

import { applyOverride, type Override } from './override.js';
import { MAX_LEVELS, nestsTooDeep } from './yaml-levels.js';

/** What a file asks for. */
export type Submission =
  | { readonly kind: 'experiment'; readonly spec: ExperimentSpec }
  | { readonly kind: 'dataset'; readonly spec: DatasetSpec };

/** One thing that is wrong with a spec file, and where: `params.dims (fashion-mlp.yaml:7)`. */
export interface SpecError extends Words {
  readonly place: string;
}

/** A spec file cannot be submitted; each error names the line. */
export class SpecFileError extends Error {
  override readonly name = 'SpecFileError';
  readonly errors: readonly SpecError[];

  constructor(message: string, errors: readonly SpecError[] = []) {
    super(message);
    this.errors = errors;
  }
}

/** Reads a YAML or JSON file (`-` is stdin), applies the overrides and checks it against its schema. */
export async function readSpecFile(path: string, overrides: readonly Override[] = []): Promise<Submission> {
  const bytes = await (path === '-' ? readAll(process.stdin) : readFile(path)).catch((error: unknown) => {
    throw new SpecFileError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const source = path === '-' ? 'stdin' : path;
  const decoded = decodeText(bytes);
  if (decoded.ok) return parseSpec(decoded.text, source, overrides);
  const { detail, remedy } = textFaultWords(decoded.fault, source);
  throw new SpecFileError(`${source} cannot be read as text`, [
    { place: `${source}:${decoded.fault.line}`, detail, remedy },
  ]);
}

/**
 * The spec in a text. `kind: experiment` or `kind: dataset` says what it is; without it, `program` or `converter` does. Keys of the top that begin
 * with `x-` are no part of it: they hold what other places refer to by an alias, or merge by `<<`.
 */
export function parseSpec(text: string, source: string, overrides: readonly Override[] = []): Submission {
  const lines = new LineCounter();
  const document = onlyDocument(text, source, lines);
  const content = contentOf(document, source);
  if (!isRecord(content)) {
    throw new SpecFileError(
      `${source}: a spec is a mapping of keys to values, such as \`program: mlp\`; this is ${nameOf(content)}`,
    );
  }
  const { kind, ...body } = overrides.reduce(applyOverride, withoutExtensions(content));
  const named = kindOf(kind, body, source);
  const read = named === 'experiment' ? readValue(ExperimentSpec, body) : readValue(DatasetSpec, body);
  if (!read.ok) {
    const errors = read.faults.map((fault) => ({
      place: locate(fault.path, document, lines, source),
      ...wordsOf(fault, 'the spec'),
    }));
    throw new SpecFileError(`${source} is not a valid ${named} spec`, errors);
  }
  return 'program' in read.value ? { kind: 'experiment', spec: read.value } : { kind: 'dataset', spec: read.value };
}

function onlyDocument(text: string, source: string, lineCounter: LineCounter): Document {
  if (nestsTooDeep(text)) {
    throw new SpecFileError(`${source} nests deeper than ${MAX_LEVELS} levels; keep it flatter`);
  }
  const documents = parseAllDocuments(text, { lineCounter, prettyErrors: false, merge: true });
  const [document] = documents;
  if (!Array.isArray(documents) || document === undefined)
    throw new SpecFileError(`${source} is empty; write a spec into it`);
  if (documents.length > 1) {
    throw new SpecFileError(`${source} holds ${documents.length} YAML documents; give one spec a file`);
  }
  if (document.errors.length > 0) {
    const errors = document.errors.slice(0, MAX_FAULTS).map(({ pos: [start], message }) => {
      const { line, col } = lineCounter.linePos(start);
      return { place: `${source}:${line}:${col}`, detail: message, remedy: 'Correct the syntax.' };
    });
    throw new SpecFileError(`${source} is not valid YAML or JSON`, errors);
  }
  return document;
}

function withoutExtensions(content: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(content).filter(([key]) => !key.startsWith('x-')));
}

/** What the document says. An alias without its anchor, and a merge of what is no mapping, are only found here. */
function contentOf(document: Document, source: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new SpecFileError(
      `${source} is not valid YAML: ${error instanceof Error ? error.message : String(error)}; correct it`,
    );
  }
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
function locate(path: readonly (string | number)[], document: Document, lines: LineCounter, source: string): string {
  const field = path.join('.') || 'the spec';
  const start = nodeAt(document.contents, path, document)?.range?.[0];
  return start === undefined ? field : `${field} (${source}:${lines.linePos(start).line})`;
}

/** The node at a path below another, where it is written: through aliases and merges. */
function nodeAt(node: unknown, path: readonly (string | number)[], document: Document): Node | undefined {
  if (isAlias(node)) return nodeAt(node.resolve(document), path, document);
  const [key, ...rest] = path;
  if (key === undefined) return isNode(node) ? node : undefined;
  if (!isCollection(node)) return undefined;
  const own: unknown = node.get(key, true);
  if (own !== undefined) return nodeAt(own, rest, document);
  // Read as a symbol where it merges, and as itself where it is in quotes.
  const merged: unknown = isMap(node)
    ? node.items.find(({ key: name }) => isScalar(name) && typeof name.value === 'symbol')?.value
    : undefined;
  const sources: readonly unknown[] = isSeq(merged) ? merged.items : [merged];
  return sources.map((from) => nodeAt(from, path, document)).find((found) => found !== undefined);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  return Array.isArray(value) ? 'a list' : `the ${typeof value} ${JSON.stringify(value)}`;
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
