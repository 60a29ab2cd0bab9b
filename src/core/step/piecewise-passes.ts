/** The passes of a step through its layers, piece by piece (see `chain.ts`). */
import * as tf from '@tensorflow/tfjs-core';
import { dots, joined, lanesOf, squaredNorms } from '../ops.js';
import { type ChangeKind, chainOf } from './chain.js';
import { DenseBlock } from './dense-block.js';
import type { FinishedLayer } from './finished-step.js';
import type { Layer } from './layer.js';
import type { Network } from './network.js';
import type { Passes, StepNotes } from './passes.js';
import type { Proof } from './proof.js';

export class PiecewisePasses implements Passes {
  /** By distance from the readout, 1 .. farthest. */
  readonly layers: Layer[] = [];

  constructor(
    private readonly network: Network,
    private readonly proof: Proof,
    private readonly step: StepNotes,
  ) {}

  forward(): tf.Tensor3D {
    const { network, proof, layers } = this;
    for (let distance = network.farthest; distance >= 1; distance--) {
      const previous = layers[distance + 1];
      const dense = previous && this.denseBlock(distance, previous.features);
      const block = previous && !dense ? chainOf('hidden', network, proof, distance) : undefined;
      const begins = network.active(distance) > network.active(distance + 1);
      const embedding = begins ? chainOf('input', network, proof, distance) : undefined;
      const features = tf.tidy(() => {
        const parts = [];
        if (dense) parts.push(dense.forward());
        if (block) parts.push(network.addSkip(block.forward(previous!.features), previous!.features));
        if (embedding) parts.push(embedding.forward(network.input(distance)));
        return tf.keep(joined(parts));
      });
      proof.finite({ distance, first: 0, lanes: network.lanes }, squaredNorms(features));
      layers[distance] = {
        features,
        ...(block && { block }),
        ...(dense && { dense }),
        ...(embedding && { embedding }),
      };
    }
    return layers[1]!.features;
  }

  backward(last: tf.Tensor3D): void {
    const { network, layers, step } = this;
    let arriving = last;
    for (let distance = 1; ; distance++) {
      const layer = layers[distance]!;
      layer.backward = arriving;
      const continuing = network.active(distance + 1);
      const { block, dense, embedding } = layer;
      if (embedding) step.through(embedding, embedding.own(lanesOf(arriving, continuing)), true);
      if (dense) {
        const { train, measuresAllGradients } = step.settings;
        arriving = tf.tidy(() => dense.backward(arriving));
        const norms = dense.learnAt(train, (lane) => step.loss(lane), measuresAllGradients);
        step.note(dense.place, norms, [dense.learned]);
        continue;
      }
      if (!block) return;
      arriving = tf.tidy(() => {
        const own = lanesOf(arriving, 0, continuing);
        if (own !== arriving) block.own(own);
        return network.addSkip(step.through(block, own)!, own);
      });
    }
  }

  change(kind: ChangeKind, visit: (layer: FinishedLayer) => void): tf.Tensor3D {
    const { network, layers, proof, step } = this;
    const { hasSkip } = network.settings.architecture;
    let change: tf.Tensor3D | undefined;
    for (let distance = network.farthest; distance >= 1; distance--) {
      const { block, dense, embedding, features, backward } = layers[distance]!;
      const before = change;
      change = tf.tidy(() => {
        const parts = [];
        if (block) {
          const moved = block.change(kind, before, hasSkip ? before : undefined);
          parts.push(network.addSkip(moved, before!));
        }
        if (dense) parts.push(dense.change(before!));
        if (embedding) parts.push(embedding.change(kind));
        return joined(parts);
      });
      before?.dispose();
      if (before && !step.settings.keepsStates) this.release(distance + 1);
      const sums = {
        features: squaredNorms(features),
        backward: squaredNorms(backward!),
        change: squaredNorms(change),
        overlap: dots(backward!, change),
      };
      if (kind === 'velocity') proof.velocity(distance, sums.overlap);
      visit({ distance, active: network.active(distance), features, backward: backward!, change, sums });
    }
    return change!;
  }

  dispose(): void {
    for (let distance = 1; distance <= this.network.farthest; distance++) this.release(distance);
  }

  /** The block of a layer, whole, where it can be and nothing asks for what is within. */
  private denseBlock(distance: number, before: tf.Tensor3D): DenseBlock | undefined {
    const { kind, keepsStates } = this.step.settings;
    return keepsStates ? undefined : DenseBlock.of(this.network, this.proof, kind, distance, before);
  }

  private release(distance: number): void {
    const layer = this.layers[distance];
    if (!layer) return;
    layer.block?.dispose();
    layer.dense?.dispose();
    layer.embedding?.dispose();
    layer.features.dispose();
    layer.backward?.dispose();
    if (!this.step.settings.keepsStates) this.network.release(distance);
  }
}
