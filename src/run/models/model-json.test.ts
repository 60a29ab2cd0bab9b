import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as layers from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBackend } from '../../core/backend.js';
import { modelFromJson } from './model-json.js';

const folder = mkdtempSync(join(tmpdir(), 'feature-speed-model-'));
beforeAll(() => openBackend('cpu'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(['lstm', 'gru', 'simpleRNN'] as const)(
  'a model.json without weights begins with those of its initialisers, the orthogonal one of recurrent layers too: %s',
  async (kind) => {
    const cell = layers.layers[kind]({
      units: 3,
      inputShape: [4, 2],
      recurrentInitializer: 'glorotUniform',
    });
    const topology = layers
      .sequential({ layers: [cell, layers.layers.dense({ units: 1 })] })
      .toJSON(undefined, false) as { config: { layers: { config: Record<string, unknown> }[] } };
    topology.config.layers[0]!.config.recurrent_initializer = {
      class_name: 'Orthogonal',
      config: { gain: 1, seed: null },
    };
    const path = join(folder, `${kind}.json`);
    writeFileSync(path, JSON.stringify({ modelTopology: topology }));
    const { model, notes } = await modelFromJson(path, 1);
    expect(notes).toEqual(['the file has no weights; they are initial ones of this seed']);
    expect(model.countParams()).toBeGreaterThan(10);
  },
);
