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

/** The same of any network; undefined for one of the user's own, which has no entry. */
const builtIn = (name: ArchitectureName): Architecture | undefined => ARCHITECTURES[name];

/** Whether blocks are added to a skip connection, so that there is a branch scale; a network of the user's own takes one, or refuses it. */
export const hasBranches = (name: ArchitectureName): boolean => builtIn(name)?.hasSkip ?? true;

/** Whether a matrix of its blocks is of the hidden width M. */
export const hasHiddenWidth = (name: ArchitectureName): boolean =>
  (builtIn(name)?.block ?? []).some((piece) => {
    if (piece === 'phi') return false;
    const { outputs, inputs } = MATRICES[piece];
    return [outputs, inputs].some((width) => width === 'hiddenWidth');
  });
