/** What a step leaves behind: the next one, on the same networks. */
import * as tf from '@tensorflow/tfjs-core';
import { Step } from '../../core/step/step.js';

/**
 * Moves the weights along a step that was taken with its states kept, takes the next one, and frees that one after `use`.
 *
 * @param step whose weights move by its dt.
 */
export function withNextStep<T>(step: Step, use: (next: Step) => T): T {
  step.learn();
  const next = new Step(step.network, step.settings);
  next.take();
  let result: T;
  tf.tidy(() => {
    result = use(next);
  });
  next.dispose();
  return result!;
}
