import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKPOINT_FILES, ExperimentView } from '@longrun/contracts';
import {
  acquireLease,
  CheckpointStore,
  encodeLogEntry,
  encodeSafetensors,
  type Hold,
  type Lease,
  type Manifest,
  ndarray,
  openObjectStore,
} from '@longrun/serialization';
import type { Service } from './service.js';

/** An experiment of a service, whose checkpoints a test commits itself. */
export class StoredExperiment {
  readonly id: string;
  readonly #folder: string;
  readonly #lease: Lease;
  readonly #checkpoints: CheckpointStore;

  private constructor(parts: { id: string; folder: string; lease: Lease; checkpoints: CheckpointStore }) {
    this.id = parts.id;
    this.#folder = parts.folder;
    this.#lease = parts.lease;
    this.#checkpoints = parts.checkpoints;
  }

  /** Submits one. The service must have the dataset `fashion`. */
  static async submit(service: Service): Promise<string> {
    const spec = { program: 'layers', params: { dims: [1, 1], activations: ['tanh'] }, dataset: 'fashion' };
    return ExperimentView.parse((await service.post('/v1/experiments', spec).expect(201)).body).id;
  }

  /** Submits one and takes its lease. */
  static async begin(service: Service, options: { readonly keepLast?: number } = {}): Promise<StoredExperiment> {
    const id = await StoredExperiment.submit(service);
    const store = await openObjectStore(service.objectsUrl);
    const lease = await acquireLease(store, `experiments/${id}`, { fence: 3, holder: 'by-hand' });
    return new StoredExperiment({
      id,
      folder: await mkdtemp(join(tmpdir(), 'longrun-stored-')),
      lease,
      checkpoints: new CheckpointStore(store, `experiments/${id}`, options),
    });
  }

  /**
   * @param elements of its only tensor, all of them the step
   * @param outputs of the program, by name
   */
  async commit(step: number, elements = 2, outputs: Readonly<Record<string, string>> = {}): Promise<Manifest> {
    const contents: Record<string, string | Uint8Array> = {
      'parameters.safetensors': parameters(step, elements),
      'state.json': JSON.stringify({ version: 1, loop: { step } }),
    };
    for (const [name, text] of Object.entries(outputs)) contents[`${CHECKPOINT_FILES.outputPrefix}${name}`] = text;
    const at = join(this.#folder, String(step));
    await mkdir(at, { recursive: true });
    for (const [name, content] of Object.entries(contents)) await writeFile(join(at, name), content);
    const log = join(at, 'log.ndjson');
    await writeFile(log, encodeLogEntry({ step, row: { cost: 1 } }));
    const manifest = await this.#checkpoints.commit(this.#lease, {
      step,
      files: Object.keys(contents).map((name) => ({ name, path: join(at, name) })),
      environment: { engine: 'reference' },
      log: [{ path: log }],
    });
    await this.#checkpoints.settled();
    return manifest;
  }

  /** Puts holds on all its checkpoints, in one write, and answers how many there are on the newest then. */
  async withHolds(holds: readonly Hold[]): Promise<number> {
    await this.#lease.exclusive(async () => {
      await this.#lease.write((head) => ({
        ...head,
        checkpoints: head.checkpoints.map((entry) => ({ ...entry, holds })),
      }));
    });
    return this.#lease.head().checkpoints[0]?.holds?.length ?? 0;
  }

  async end(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

/** The bytes of `parameters.safetensors` of a step. */
export function parameters(step: number, elements = 2): Buffer {
  const values = new Float32Array(elements).fill(step);
  return Buffer.from(encodeSafetensors(new Map([['/mlp.W', ndarray('float32', [elements, 1], values)]])));
}
