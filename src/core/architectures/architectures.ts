/** All architectures by name. */
import type { Architecture } from './architecture.js';
import { mlp } from './mlp.js';
import { resnet } from './resnet.js';
import { resnet2 } from './resnet-2.js';

export const ARCHITECTURES = { resnet, mlp, 'resnet-2': resnet2 } as const satisfies Record<
  string,
  Architecture
>;

export type ArchitectureName = keyof typeof ARCHITECTURES;
