import { expect, test } from 'vitest';
import { environmentWithoutSecrets } from './hidden-environment.js';

test('children are told where libraries and the drivers of graphics cards lie, and nothing that could be a credential', () => {
  const told = {
    PATH: '/usr/bin',
    LD_LIBRARY_PATH: '/usr/local/nvidia/lib64',
    CUDA_VISIBLE_DEVICES: '0',
    VK_DRIVER_FILES: '/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json',
    VK_ICD_FILENAMES: '/etc/vulkan/icd.d/lvp_icd.json',
    OMP_NUM_THREADS: '2',
  };
  const others = { AWS_SECRET_ACCESS_KEY: 'x', LONGRUN_TOKEN: 'x', DATABASE_URL: 'x', MY_VK_DRIVER: 'x', PATHS: 'x' };
  expect(environmentWithoutSecrets({ ...told, ...others })).toEqual(told);
});
