/** What the steps of a cell take from its task, whoever takes them: step sizes, the law of the data, and who looks on. */
import { compileExpression, stepSizeNames } from '../config/expression.js';
import type { Setting } from '../config/settings.js';
import type { DataLaw } from '../core/data.js';
import type { Watch } from '../core/training.js';
import { readSnapshot, writeSnapshot } from '../store/snapshot.js';
import type { MeasureTask, OnSteps } from './task.js';

/** How often the steps of a batch are told; ms. */
const TELL_MS = 250;

/** A snapshot may take this share of the time. */
const SNAPSHOT_SHARE = 0.05;

/** What is kept of a training while it goes on, and told of it. */
export function watchOf<State extends { readonly taken: number }>(
  { snapshot, cells }: MeasureTask,
  onSteps: OnSteps,
): Watch<State> {
  const keys = cells.map(({ key }) => key);
  const found = snapshot && readSnapshot(snapshot.path, snapshot.origin);
  let told = performance.now();
  let next = told + (snapshot?.everyMs ?? Infinity);
  const state = found && found.keys.join() === keys.join() ? (found.state as State) : undefined;
  if (state) onSteps(state.taken);
  return {
    state,
    stepped: (taken, copy) => {
      const now = performance.now();
      if (now >= told + TELL_MS) {
        told = now;
        onSteps(taken);
      }
      if (!snapshot || now < next) return;
      writeSnapshot(snapshot.path, { origin: snapshot.origin, keys, state: copy() });
      const took = performance.now() - now;
      next = now + Math.max(snapshot.everyMs, took / SNAPSHOT_SHARE);
    },
  };
}

/** dt at the t-th of `steps` steps, where it is not the same at all. */
export function scheduleOf(setting: Setting, steps: number): ((t: number) => number) | undefined {
  const { stepSizeFormula, parameters } = setting;
  const { names, evaluate } = compileExpression(stepSizeFormula, stepSizeNames(Object.keys(parameters)));
  if (!names.includes('t')) return undefined;
  const { depth: L, width: m, inputWidth: d, outputWidth: k, samples: n, branchScale: beta } = setting;
  return (t) => evaluate({ ...parameters, L, m, d, k, n, beta, t, T: steps });
}

/** The laws of the data of cells; rows of a file are the same object for all, by which draws are told. */
export function lawsOf({ data, dataSet }: Pick<MeasureTask, 'data' | 'dataSet'>): (at: Setting) => DataLaw {
  const set = dataSet && { ...dataSet, isStandardized: data.file?.columns === 'standardized' };
  return ({ inputScale: scale }) => ({ input: { ...data.input, scale }, target: data.target, set });
}
