import type { Client } from '@longrun/client';
import type { CheckpointFinding, StoredCheckpointList, StoredCheckpointView } from '@longrun/contracts';
import type { ManifestFile, ObjectReading } from '@longrun/serialization';

import { resolveExperiment } from '../reference.js';
import { ApiObjects } from './api-objects.js';
import { CheckpointFailed } from './checkpoint-errors.js';
import type { CheckpointSource, ReadableCheckpoint } from './checkpoint-source.js';

/** The checkpoints of an experiment, read by way of the API. */
export class ApiSource implements CheckpointSource {
  readonly objects: ObjectReading;
  readonly #client: Client;
  readonly #id: string;

  private constructor(client: Client, id: string) {
    this.#client = client;
    this.#id = id;
    this.objects = new ApiObjects(client);
  }

  /** @param experiment its id, the beginning of that, or its name. @throws UnknownReference */
  static async of(client: Client, experiment: string): Promise<ApiSource> {
    return new ApiSource(client, await resolveExperiment(client, experiment));
  }

  get prefix(): string {
    return `experiments/${this.#id}`;
  }

  get place(): { readonly api: string } {
    return { api: this.#client.url };
  }

  async of(experiment: string): Promise<CheckpointSource> {
    return ApiSource.of(this.#client, experiment);
  }

  async list(): Promise<StoredCheckpointList> {
    return this.#client.checkpoints.list(this.#id);
  }

  async view(which: string): Promise<StoredCheckpointView> {
    return this.#client.checkpoints.get(this.#id, which);
  }

  async *verify(which: string | undefined): AsyncGenerator<CheckpointFinding> {
    const { checkpoints } = await this.#client.checkpoints.verify(this.#id, which);
    yield* checkpoints;
  }

  async read<T>(
    which: string,
    look: (checkpoint: ReadableCheckpoint) => Promise<T>,
    { isDoubtful = () => false }: { readonly isDoubtful?: (found: T) => boolean } = {},
  ): Promise<T> {
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      const { tensors: _tensors, name, ...manifest } = await this.view(which);
      const files = manifest.files.map((file) => this.#byWayOfTheApi(name, file));
      try {
        const found = await look({ name, manifest: { ...manifest, files } });
        if (!isDoubtful(found) || (await this.#isThere(name))) return found;
      } catch (error) {
        if (await this.#isThere(name)) throw error;
      }
    }
    throw new CheckpointFailed(
      `${this.prefix}: checkpoints are removed before they are read, ${MOST_TRIES} times in a row; try again when the run commits less often`,
    );
  }

  async #isThere(name: string): Promise<boolean> {
    const { items } = await this.list();
    return items.some((item) => item.name === name);
  }

  /** The file, with the paths of the API at which its copies are, for keys. */
  #byWayOfTheApi(checkpoint: string, file: ManifestFile): ManifestFile {
    const path = `/v1/${this.prefix}/checkpoints/${checkpoint}/files/${file.name}`;
    return {
      ...file,
      blobKey: `${path}?copy=1`,
      copyKey: file.copyKey === undefined ? undefined : `${path}?copy=2`,
    };
  }
}

/** One that cannot be read in so many tries is removed faster than it can be read at all. */
const MOST_TRIES = 5;
