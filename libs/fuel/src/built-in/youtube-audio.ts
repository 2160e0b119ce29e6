import { z } from 'zod';
import { fuelMadeDataset } from './fuel-made-dataset.js';

/**
 * The sound of a video: `features` (1, time, channels) int16, of one example, with the split `train` (Fuel: `youtube_audio`). Which video is
 * said by `youtubeId`, which has no default.
 */
export const youtubeAudio = fuelMadeDataset(
  {
    name: 'youtube_audio',
    params: z.strictObject({
      youtubeId: z
        .string()
        .regex(/^[\w-]{11}$/)
        .meta({ description: 'The 11 characters that name the video in its address.' }),
    }),
    outputName: ({ youtubeId }) => `${youtubeId}.hdf5`,
    defaultTransformers: [],
    loadInMemory: false,
  },
  ({ youtubeId }) => `youtube_audio --youtube-id ${youtubeId}`,
);
