import type { ObjectStore } from '@longrun/serialization';

/** A store that moves no file of some keys, either way, until it is told. */
export class SlowStore {
  readonly slowed: ObjectStore;
  isWaitedFor = false;
  release: () => void = () => {};

  /** @param isSlow of a key */
  constructor(store: ObjectStore, isSlow: (key: string) => boolean) {
    const released = new Promise<void>((resolve) => (this.release = resolve));
    const turnOf = async (key: string): Promise<void> => {
      if (!isSlow(key)) return;
      this.isWaitedFor = true;
      await released;
    };
    this.slowed = {
      url: store.url,
      get: async (key) => await store.get(key),
      download: async (key, target, options) => {
        await turnOf(key);
        return await store.download(key, target, options);
      },
      list: (prefix) => store.list(prefix),
      delete: async (keys) => await store.delete(keys),
      readRegister: async (key) => await store.readRegister(key),
      compareAndSet: async (key, expected, bytes) => await store.compareAndSet(key, expected, bytes),
      put: async (key, body, options) => {
        await turnOf(key);
        return await store.put(key, body, options);
      },
    };
  }
}
