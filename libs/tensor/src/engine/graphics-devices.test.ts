import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { environment } from './environment.js';
import { graphicsDevices } from './graphics-devices.js';

test('equal cards are told of once, with the driver of NVIDIA, and other cards by their numbers', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'longrun-graphics-'));
  onTestFinished(async () => await rm(root, { recursive: true }));
  expect(graphicsDevices(root)).toBe('');

  await write(root, 'sys/class/drm/card0/device/vendor', '0x1234\n');
  await write(root, 'sys/class/drm/renderD128/device/vendor', '0x8086\n');
  await write(root, 'sys/class/drm/renderD128/device/device', '0x56a0\n');
  expect(graphicsDevices(root)).toBe('0x8086:0x56a0');

  await write(root, 'sys/class/drm/renderD129/device/vendor', '0x10de\n');
  const about = 'Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 0\n';
  await write(root, 'proc/driver/nvidia/gpus/0000:01:00.0/information', about);
  await write(root, 'proc/driver/nvidia/gpus/0000:02:00.0/information', about);
  const version =
    'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build\nGCC version: 12\n';
  await write(root, 'proc/driver/nvidia/version', version);
  expect(graphicsDevices(root)).toBe('0x8086:0x56a0, NVIDIA H100 80GB HBM3, driver 580.159.04');
});

test('what computes on a graphics card says which one: another gives other last bits', () => {
  expect(environment({ engine: 'onnxruntime', provider: 'webgpu' })).toMatchObject({ graphics: graphicsDevices() });
  expect(environment({ engine: 'onnxruntime', provider: 'cuda' })).toMatchObject({ graphics: graphicsDevices() });
  expect(environment({ engine: 'onnxruntime', provider: 'cpu' })).not.toHaveProperty('graphics');
});

async function write(root: string, file: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), text);
}
