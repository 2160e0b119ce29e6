import type { ComputeTarget, EngineDefinition, ProviderDefinition } from './engine.js';
import type { EnginePrograms } from './engine-program.js';
import { onnxruntime, onnxruntimePrograms } from './onnxruntime/definition.js';
import { reference } from './reference/definition.js';
import { tfjs } from './tfjs/definition.js';

/** The engine or provider that was asked for is none, or cannot be used on this machine. Says which there are. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable';
}

/**
 * Makes an engine known to `compile`, by its name. What it returns makes it unknown again; what was compiled goes on.
 *
 * @throws Error when there is one of that name, or when it has no providers
 */
export function registerEngine(definition: EngineDefinition): () => void {
  const { name, providers } = definition;
  if (!NAME.test(name)) {
    throw new Error(`Engine name "${name}" is not in lower case letters, digits and dashes; rename it`);
  }
  if (REGISTRY.has(name)) throw new Error(`There is an engine ${name} already; give this one another name`);
  if (providers.length === 0) throw new Error(`Engine ${name} has no providers; give at least one`);
  REGISTRY.set(name, definition);
  return () => {
    // Not one that has been given the name since.
    if (REGISTRY.get(name) === definition) REGISTRY.delete(name);
  };
}

/** All engines that are known, also those that cannot be used on this machine. */
export function engines(): readonly EngineDefinition[] {
  return [...REGISTRY.values()];
}

/** The names of the providers that can be used on this machine, by engine; an engine without any is left out. */
export function availableProviders(): Record<string, string[]> {
  const found = engines().flatMap((engine): [string, string[]][] => {
    if (engine.unavailable() !== undefined) return [];
    const usable = engine.providers.filter((provider) => provider.unavailable() === undefined);
    return usable.length === 0 ? [] : [[engine.name, usable.map(({ name }) => name)]];
  });
  return Object.fromEntries(found);
}

/** @throws EngineUnavailable when none has that name */
export function engineNamed(name: string): EngineDefinition {
  const definition = REGISTRY.get(name);
  if (definition !== undefined) return definition;
  throw new EngineUnavailable(`There is no engine ${name}; there are ${engines().map(describeEngine).join(', ')}`);
}

/** @throws EngineUnavailable when the engine has none of that name */
export function providerNamed(engine: EngineDefinition, name: string): ProviderDefinition {
  const provider = engine.providers.find((candidate) => candidate.name === name);
  if (provider !== undefined) return provider;
  throw new EngineUnavailable(
    `The engine ${engine.name} has no provider ${name}; there are ${engine.providers.map(describeProvider).join(', ')}`,
  );
}

/**
 * What a target computes with, and why with none of the providers that its engine prefers to it:
 * `tfjs/cpu (not tensorflow: @tensorflow/tfjs-node is not installed)`.
 *
 * @throws EngineUnavailable for an unknown engine
 */
export function describeTarget({ engine, provider }: ComputeTarget): string {
  const { providers } = engineNamed(engine);
  const preferred = providers.slice(
    0,
    Math.max(
      0,
      providers.findIndex(({ name }) => name === provider),
    ),
  );
  const reasons = preferred.flatMap((candidate) => {
    const reason = candidate.unavailable();
    return reason === undefined ? [] : [`not ${candidate.name}: ${reason}`];
  });
  return `${engine}/${provider}${reasons.length === 0 ? '' : ` (${reasons.join('; ')})`}`;
}

/** @throws EngineUnavailable when the engine or its provider cannot be used on this machine */
export function assertAvailable(engine: EngineDefinition, provider: ProviderDefinition): void {
  const reason = engine.unavailable();
  if (reason !== undefined) {
    const others = engines().filter((other) => other.unavailable() === undefined);
    throw new EngineUnavailable(
      `The engine ${engine.name} cannot be used here: ${reason}; use ${others.map(({ name }) => name).join(' or ')}`,
    );
  }
  const why = provider.unavailable();
  if (why === undefined) return;
  const others = engine.providers.filter((other) => other.unavailable() === undefined);
  const remedy = others.length === 0 ? 'use another engine' : `use ${others.map(({ name }) => name).join(' or ')}`;
  throw new EngineUnavailable(
    `The provider ${provider.name} of the engine ${engine.name} cannot be used here: ${why}; ${remedy}`,
  );
}

/** How programs of a target are made that can be kept; undefined where none can: for devices, and of engines that are not this library's. */
export function programsFor({ engine, provider }: ComputeTarget): EnginePrograms | undefined {
  return REGISTRY.get(engine) === onnxruntime && provider === 'cpu' ? onnxruntimePrograms : undefined;
}

function describeEngine(engine: EngineDefinition): string {
  const reason = engine.unavailable();
  return reason === undefined ? engine.name : `${engine.name} (not here: ${reason})`;
}

function describeProvider(provider: ProviderDefinition): string {
  const reason = provider.unavailable();
  return reason === undefined ? provider.name : `${provider.name} (not here: ${reason})`;
}

const NAME = /^[a-z][a-z0-9-]*$/;

const REGISTRY = new Map<string, EngineDefinition>(
  [onnxruntime, tfjs, reference].map((engine) => [engine.name, engine]),
);
