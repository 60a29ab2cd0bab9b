/** All architectures by name. */
import { type Architecture, MATRICES } from './architecture.js';
import { mlp } from './mlp.js';
import { resnet } from './resnet.js';
import { resnet2 } from './resnet-2.js';

export const ARCHITECTURES = { resnet, mlp, 'resnet-2': resnet2 } as const satisfies Record<
  string,
  Architecture
>;

export type ArchitectureName = keyof typeof ARCHITECTURES;

export const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES) as [ArchitectureName, ...ArchitectureName[]];

/** The entry of an architecture, whichever it is. */
export const architectureOf = (name: ArchitectureName): Architecture => ARCHITECTURES[name];

/** Whether blocks are added to a skip connection, so that there is a branch scale. */
export const hasBranches = (name: ArchitectureName): boolean => architectureOf(name).hasSkip;

/** Whether a matrix of its blocks is of the hidden width M. */
export const hasHiddenWidth = (name: ArchitectureName): boolean =>
  architectureOf(name).block.some((piece) => {
    if (piece === 'phi') return false;
    const { outputs, inputs } = MATRICES[piece];
    return [outputs, inputs].some((width) => width === 'hiddenWidth');
  });
