import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The graphics processors of this machine as Linux tells of them, each kind once, with the version of NVIDIA's driver:
 * `NVIDIA H100 80GB HBM3, driver 580.159.04`. Of others their PCI numbers: `0x8086:0x56a0`. Empty where it tells of none, or is another system.
 *
 * @param root The root of the file system. Default `/`
 */
export function graphicsDevices(root = '/'): string {
  const nvidia = path.join(root, 'proc/driver/nvidia');
  const models = namesIn(path.join(nvidia, 'gpus')).map((gpu) =>
    /^Model:\s*(.+)$/m.exec(textOf(path.join(nvidia, 'gpus', gpu, 'information')))?.[1]?.trim(),
  );
  const driver = /Kernel Module.*?\s(\d+\.[\d.]+)/.exec(textOf(path.join(nvidia, 'version')))?.[1];
  const cards = path.join(root, 'sys/class/drm');
  const others = namesIn(cards)
    .filter((name) => name.startsWith('renderD'))
    .map((name) =>
      ['vendor', 'device'].map((file) => textOf(path.join(cards, name, 'device', file)).trim() || '?').join(':'),
    )
    .filter((numbers) => models.length === 0 || !numbers.startsWith(NVIDIA));
  const found = [...models, ...others].filter((name) => name !== undefined);
  return [...[...new Set(found)].toSorted(), ...(driver === undefined ? [] : [`driver ${driver}`])].join(', ');
}

/** Its number as a vendor of PCI devices. */
const NVIDIA = '0x10de';

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
