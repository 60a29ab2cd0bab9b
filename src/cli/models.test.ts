import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { fromCsv, type Value } from '../results/table.js';
import { Folder, testIn } from './program-under-test.js';

/** A residual network of user's own, without a name for its readout, and with an import beside it. */
const MODULE = `
import { gain } from './parts/gain.mjs';
export default ({ tf, depth = 2, width = 4, branchScale = 1, units = 2, activation = 'tanh' }) => {
  const dense = (name, units) => tf.layers.dense({ ...(name && { name }), units, useBias: false,
    kernelInitializer: tf.initializers.varianceScaling({ scale: gain, mode: 'fanIn', distribution: 'normal' }) });
  class Scale extends tf.layers.Layer {
    static className = 'Scale';
    call(x) { return tf.mul([x].flat()[0], branchScale); }
  }
  const x = tf.input({ shape: [3] });
  let h = dense('embed', width).apply(x);
  for (let l = 1; l <= depth; l++) {
    const z = tf.layers.activation({ name: 'phi' + l, activation }).apply(h);
    h = tf.layers.add({ name: 'block' + l }).apply([h, new Scale({ name: 'scale' + l }).apply(dense('hidden' + l, width).apply(z))]);
  }
  return tf.model({ inputs: x, outputs: dense(undefined, units).apply(h) });
};`;

const CONFIG = {
  network: { model: 'nets/own.mjs' },
  data: { samples: 2 },
  step: { kind: 'velocity' },
  sweep: { branchScale: [1, '1/sqrt(L)'], depth: [1, 2], width: [4], units: [2, 3] },
  draws: 2,
  seed: 5,
  record: {
    quantities: [
      'bfa_rad',
      'sensitivity',
      'contribution',
      'weight_variance',
      'loss',
      'speed_formula_residual',
    ],
  },
};

class ModelFolder extends Folder {
  constructor() {
    super();
    this.write('configs/nets/own.mjs', MODULE);
    this.write('configs/nets/parts/gain.mjs', 'export const gain = 1;');
    this.write('configs/own.json', CONFIG);
  }

  column(name: string, table = 'results/own/table.csv'): Value[] {
    const { columns, rows } = fromCsv(this.read(table));
    expect(columns).toContain(name);
    return rows.map((row) => row[columns.indexOf(name)]!);
  }
}

const test = testIn(() => new ModelFolder());

describe('an experiment with a network of its own', () => {
  test('has a table with the names of layers, the same from two processes, two shards and a run of the manifest', async ({
    folder,
  }) => {
    expect(await folder.call('run configs/own.json')).toMatchObject({ code: 0 });
    // 1/sqrt(1) and 1 are one; a network of depth L has 2 + 4 L calls.
    const cells = { 1: 1 * 2 * 2, 2: 2 * 2 * 2 };
    const text = folder.read('results/own/table.csv');
    const header =
      'experiment,draw,architecture,activation,depth,width,input_width,output_width,samples,branch_scale,branch_scale_formula,' +
      'scaling,weights,step,step_size,units,layer,layer_name,bfa_rad,sensitivity,weight_variance,contribution,loss,speed_formula_residual';
    expect(text.split('\n')[0]).toBe(header);
    expect(text.split('\n')).toHaveLength(1 + cells[1] * 6 + cells[2] * 10 + 1);
    expect(text.split('\n')[1]).toMatch(
      /^own,0,nets\/own\.mjs,,1,4,,,2,1,1,scale-invariant,dense,velocity,,2,1,embed,\d/,
    );
    expect(new Set(folder.column('layer_name'))).toEqual(
      new Set([
        'embed',
        ...[1, 2].flatMap((l) => [`phi${l}`, `hidden${l}`, `scale${l}`, `block${l}`]),
        // Whatever was made in this process before.
        'dense_Dense1',
      ]),
    );
    const residuals = folder.column('speed_formula_residual').filter((value) => value !== null) as number[];
    expect(Math.max(...residuals)).toBeLessThan(1e-5);
    expect(folder.manifest('results/own')).toMatchObject({ model_folder: 'configs', weights: ['dense'] });

    expect(await folder.start('run configs/own.json --workers 2 --out two')).toMatchObject({ code: 0 });
    expect(folder.read('two/own/table.csv')).toBe(text);
    for (const i of [1, 2]) await folder.call(`run configs/own.json --shard ${i}/2 --out ${i}`);
    expect(await folder.call('merge 1/own 2/own --out merged')).toMatchObject({ code: 0 });
    expect(folder.read('merged/own/table.csv')).toBe(text);
    expect((await folder.call('run --from merged/own')).stdout).toContain('merged/own: same, 12 cells');
    expect((await folder.call('diff results/own two/own')).stdout).toContain('own: same');
  });

  test('draws networks and data by the stream of the cell: draws differ, and common random numbers do not', async ({
    folder,
  }) => {
    folder.write('configs/own.json', {
      ...CONFIG,
      sweep: { branchScale: [0.5, 1] },
      commonRandomNumbers: ['branchScale'],
      record: { quantities: ['feature_rms', 'weight_variance'] },
    });
    await folder.call('run configs/own.json');
    const [names, variances, features] = ['layer_name', 'weight_variance', 'feature_rms'].map((name) =>
      folder.column(name),
    );
    const embeds = names!.flatMap((name, i) => (name === 'embed' ? [[variances![i], features![i]]] : []));
    expect(embeds).toHaveLength(4);
    // Draws are innermost: the first of both branch scales are one network, and data of one law.
    expect(embeds[0]).toEqual(embeds[2]);
    expect(embeds[1]).toEqual(embeds[3]);
    expect(embeds[0]![0]).not.toBe(embeds[1]![0]);
  });

  test('is another when the module, or what it imports, says something else, and the same from another folder', async ({
    folder,
  }) => {
    const digest = async (...words: string[]) => {
      await folder.call(
        'run',
        ...words,
        '--set',
        'draws=1',
        '--set',
        'sweep.depth=[2]',
        '--out',
        'd',
        '--fresh',
      );
      return folder.manifest('d/own').digest;
    };
    const first = await digest('configs/own.json');
    folder.write('configs/nets/parts/gain.mjs', 'export const gain = 2;');
    const second = await digest('configs/own.json');
    expect(second).not.toBe(first);
    folder.write('configs/nets/own.mjs', `${MODULE}\n// and no more`);
    expect(await digest('configs/own.json')).not.toBe(second);
    folder.write('configs/nets/parts/gain.mjs', 'export const gain = 1;');
    folder.write('configs/nets/own.mjs', MODULE);
    folder.write('elsewhere/own.json', CONFIG);
    folder.write('elsewhere/nets/own.mjs', MODULE);
    folder.write('elsewhere/nets/parts/gain.mjs', 'export const gain = 1;');
    expect(await digest('elsewhere/own.json')).toBe(first);
  });

  test('takes updates, explicit rates, losses and several steps, as gradient descent goes', async ({
    folder,
  }) => {
    folder.write('configs/own.json', {
      network: { model: 'nets/own.mjs', depth: 2, width: 6, parameters: { units: 3, activation: 'elu' } },
      scaling: { name: 'plain', learningRate: 'eta*m' },
      step: { kind: 'update', size: 0.01, count: 3 },
      data: { samples: 4 },
      sweep: { loss: ['squared', 'cross-entropy', 'linear'], eta: [0.5, 1] },
      record: {
        layers: 'output',
        quantities: ['loss', 'loss_change', 'bfa_rad', 'sensitivity_finite', 'feature_displacement_rms'],
      },
    });
    expect(await folder.call('run configs/own.json')).toMatchObject({ code: 0 });
    const [step, loss, change, moved] = [
      'step_number',
      'loss',
      'loss_change',
      'feature_displacement_rms',
    ].map((name) => folder.column(name) as number[]);
    expect(loss).toHaveLength(3 * 2 * 3);
    expect(new Set(folder.column('layer_name'))).toEqual(new Set(['block2']));
    step!.forEach((t, i) => {
      expect(change![i]).toBeLessThan(0);
      // The loss of a step is that of the step before with its change: the weights have moved.
      if (t > 1) expect(loss![i]! / (loss![i - 1]! + change![i - 1]!)).toBeCloseTo(1, 6);
      expect(moved![i]! > 0).toBe(t > 1);
    });
  });

  test('has Eq. 7 and 8 by "auto", slopes of its last features, and a plan', async ({ folder }) => {
    folder.write('configs/own.json', {
      network: { model: 'nets/own.mjs', branchScale: '1/sqrt(L)' },
      scaling: 'auto',
      step: { kind: 'velocity' },
      sweep: { depth: [2, 6], width: [16] },
      draws: 4,
      slopes: [{ quantity: 'bfa_rad', axis: 'depth', expected: 0, margin: 1 }],
      record: { layers: 'output', quantities: ['bfa_rad', 'backward_rms', 'contribution_balance'] },
    });
    const plan = await folder.call('plan configs/own.json --json');
    expect(JSON.parse(plan.stdout).experiments[0]).toMatchObject({ cells: 8, rows: 8, backend: 'wasm' });
    const { code, stdout } = await folder.call('run configs/own.json');
    expect(code).toBe(0);
    expect(stdout).toContain('bfa_rad');
    expect(folder.read('results/own/slopes.csv')).toMatch(/own,nets\/own\.mjs,.*bfa_rad,depth.*,holds\n/);
    const [backward, angle, balance] = ['backward_rms', 'bfa_rad', 'contribution_balance'].map(
      (name) => folder.column(name) as number[],
    );
    backward!.forEach((b, i) => {
      // m |b|_rms cos(theta) = 1, by the 1 % of the search; one sample.
      expect(Math.abs(16 * b * Math.cos(angle![i]!) - 1)).toBeLessThan(0.01);
      expect(balance![i]).toBeCloseTo(1, 10);
    });
  });

  test('may be a saved model, whose draws differ in their data', async ({ folder }) => {
    const saved = fileURLToPath(new URL('models-under-test/keras3-residual/model.json', import.meta.url));
    folder.write('configs/own.json', {
      network: { model: saved },
      draws: 2,
      sweep: { dt: [0.1, 0.2] },
      step: { size: 'dt' },
      record: { layers: 'output', quantities: ['loss', 'loss_change', 'weight_variance'] },
    });
    expect(await folder.call('run configs/own.json')).toMatchObject({ code: 0 });
    const loss = folder.column('loss');
    expect(loss[0]).not.toBe(loss[1]);
    // The same network and data for both steps.
    expect(loss.slice(0, 2)).toEqual(loss.slice(2));
    expect(folder.column('depth')).toEqual([null, null, null, null]);
    folder.write('configs/own.json', {
      network: { model: saved, depth: 2 },
      record: { quantities: ['loss'] },
    });
    expect((await folder.call('run configs/own.json')).stderr).toContain('takes no parameters');
  });

  test('learns from a file by mini-batches, the same from two shards, with optima, and is told what does not fit', async ({
    folder,
  }) => {
    const rows = Array.from({ length: 24 }, (_, i) => [Math.sin(i), i % 5, Math.cos(3 * i), 'abc'[i % 3]]);
    folder.write('configs/rows.csv', ['p,q,r,kind', ...rows.map((row) => row.join())].join('\n'));
    const config = {
      network: { model: 'nets/own.mjs', depth: 1, width: 6, parameters: { units: 3 } },
      scaling: { name: 'P', learningRate: 'polyak' },
      loss: 'cross-entropy',
      data: { file: 'rows.csv', target: 'kind', heldOut: 0.25, batch: 4 },
      step: { count: 12, size: 'eta*(1 - t/(2*T))' },
      sweep: { eta: [0.1, 0.5, 2] },
      draws: 2,
      record: {
        layers: 'output',
        steps: [1, 12],
        quantities: ['loss', 'accuracy', 'loss_held_out', 'accuracy_held_out'],
      },
      optima: [{ quantity: 'loss', along: 'eta', steps: { from: 12, to: 12 } }],
    };
    folder.write('configs/own.json', config);
    expect(await folder.call('run configs/own.json')).toMatchObject({ code: 0 });
    const text = folder.read('results/own/table.csv');
    expect(folder.column('samples')).toEqual(Array(12).fill(18));
    const [loss, accuracy] = ['loss_held_out', 'accuracy_held_out'].map((name) => folder.column(name));
    for (const value of accuracy! as number[]) expect(6 * value).toBeCloseTo(Math.round(6 * value), 10);
    expect(loss!.every((value) => typeof value === 'number')).toBe(true);
    expect(folder.read('results/own/optima.csv')).toMatch(/,loss,12,12,eta,[\d.]+,/);
    for (const i of [1, 2]) await folder.call(`run configs/own.json --shard ${i}/2 --out ${i}`);
    await folder.call('merge 1/own 2/own --out merged');
    expect(folder.read('merged/own/table.csv')).toBe(text);
    expect((await folder.call('run --from merged/own')).stdout).toContain('merged/own: same, 6 cells');
    const said = async (set: string) => {
      const { code, stderr } = await folder.call('plan', 'configs/own.json', '--set', set);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await said('network.parameters.units=2')).toContain(
      'nets/own.mjs: data.file: it has 3 classes, and the model has outputs of the shape [2]',
    );
    folder.write('configs/rows.csv', 'p,q,kind\n1,2,a\n3,4,b\n5,6,c\n7,8,a');
    expect(await said('data.batch=1')).toContain('it has 2 columns besides the target, and input');
  });

  // As a built-in one does, and as trainings of models do in one process.
  const slowly = test.runIf(process.env.FEATURE_SPEED_SLOW);
  slowly('goes on where a run was stopped, with the same bytes', async ({ folder }) => {
    folder.write('configs/own.json', { ...CONFIG, draws: 3 });
    await folder.call('run configs/own.json --out whole');
    const held = await folder.hold('run configs/own.json --workers 1');
    held.child.kill('SIGTERM');
    expect((await held.ended).code).toBe(143);
    const { code, stderr } = await folder.call('run configs/own.json');
    expect(code).toBe(0);
    expect(stderr).toMatch(/\d+ of 18 cells were measured before/);
    expect(folder.read('results/own/table.csv')).toBe(folder.read('whole/own/table.csv'));
  });
});

describe('what a model has not, is refused by name, before anything is measured', () => {
  const refusals: readonly (readonly [what: string, set: string, said: string])[] = [
    [
      'an activation',
      'network.activation=relu',
      'network.activation: expected no activation beside network.model',
    ],
    [
      'an architecture',
      'network.architecture=mlp',
      'expected no architecture beside network.model, got "mlp"; the model is one',
    ],
    ['an input width', 'network.inputWidth=3', 'expected no inputWidth beside network.model'],
    ['an output width in the sweep', 'sweep.outputWidth=[1,2]', 'sweep.outputWidth: expected no outputWidth'],
    [
      'layers that learn',
      'step.train=hidden',
      'step.train: expected no train beside network.model, got "hidden"',
    ],
    [
      'a scaling of the tables',
      'scaling=FSC',
      'scaling: expected "auto", or {"name", "learningRate"}, of a model, got "FSC"',
    ],
    [
      'an initial scale',
      'scaling={"name":"a","sigmaOutput":1}',
      'scaling.sigmaOutput: expected no sigmaOutput of a model',
    ],
    ['theory', 'record.quantities=["bfa_theory_rad"]', 'there is no theory of it'],
    ['the velocity of the backward pass', 'record.quantities=["fba_rad"]', 'it is of built-in networks'],
    [
      'slopes of all layers',
      'slopes=[{"quantity":"loss","axis":"depth"}]',
      'record.layers: expected "output" for slopes',
    ],
    [
      'optima of all layers',
      'optima=[{"quantity":"loss","along":"units"}]',
      'record.layers: expected "output" for optima',
    ],
    ['accuracy of numbers', 'record.quantities=["accuracy"]', 'expected classes as targets for accuracy'],
    [
      'batch normalisation by a word',
      'network.batchNorm=both',
      'network.batchNorm: expected "inference" or "batch", got "both"',
    ],
    [
      'a text beside other data',
      'data={"text":"nets/own.mjs","batch":1}',
      'data.batch: expected no data.batch beside data.text',
    ],
    ['an argument that the program gives', 'network.parameters.depth=2', 'give it as network.depth'],
    ['a parameter that the program gives', 'sweep.seed=[1]', 'the module of a model is given it'],
    ['a formula with what it has not', 'network.branchScale=1/d', 'it cannot'],
  ];
  test('each with one message', async ({ folder }) => {
    const { network, ...rest } = CONFIG;
    const { branchScale: _, ...sweep } = CONFIG.sweep;
    folder.write('configs/own.json', { network, ...rest, sweep });
    for (const [what, set, said] of refusals.slice(0, -1)) {
      const { code, stderr } = await folder.call('run', 'configs/own.json', '--set', set);
      expect(code, what).toBe(2);
      expect(stderr, what).toContain(said);
    }
    const { code, stderr } = await folder.call('run', 'configs/own.json', '--set', 'network.branchScale=1/d');
    expect(code).toBe(2);
    expect(stderr).toContain('network.branchScale: expected a number, got "1/d"; 1/d is');
  });

  const modules: readonly (readonly [what: string, source: string, said: string])[] = [
    [
      'a module that throws',
      'export default () => { throw new Error("no such size"); };',
      'the module throws: no such size',
    ],
    ['no default export', 'export const a = 1;', 'got no default export'],
    ['no model', 'export default () => 3;', 'its function returns 3'],
    [
      'a parameter that it does not use',
      MODULE.replace('units = 2', 'unit = 2').replace('undefined, units', 'undefined, unit'),
      'does not use units; it takes depth, width, branchScale, unit, activation; did you mean unit?',
    ],
    [
      'no weights',
      'export default ({ tf, depth, width, branchScale, units }) => tf.sequential({ layers: [tf.layers.reLU({ inputShape: [2] })] });',
      'the model has no weights to train',
    ],
    [
      'an operation without a second derivative',
      `export default ({ tf, depth, width, branchScale, units }) => {
        class Sort extends tf.layers.Layer { static className = 'Sort'; call(x) { return tf.cumprod([x].flat()[0]); } }
        return tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] }), new Sort({ name: 'sort' })] });
      };`,
      'layer sort (Sort): ',
    ],
  ];
  test('modules too', async ({ folder }) => {
    for (const [what, source, said] of modules) {
      folder.write('configs/nets/own.mjs', source);
      const { code, stderr } = await folder.call('run configs/own.json');
      expect(code, what).toBe(2);
      expect(stderr, what).toContain(said);
      expect(folder.everything(), what).not.toContain('results');
    }
  });

  test('a file that is not there, a folder, weights that are not formed, another backend', async ({
    folder,
  }) => {
    const said = async (...words: string[]) => {
      const { code, stderr } = await folder.call('plan', 'configs/own.json', ...words);
      expect(code).toBe(2);
      return stderr;
    };
    folder.write('configs/own.json', { ...CONFIG, network: { model: 'nets/owm.mjs' } });
    expect(await said()).toContain(
      'configs/own.json:3:14 network.model: expected a JavaScript module (.mjs, .js) or a model.json, got "nets/owm.mjs"; ' +
        'there is no configs/nets/owm.mjs; did you mean nets/own.mjs?',
    );
    expect(await said('--set', 'network.model=nets')).toContain('a folder; name the model.json in it');
    folder.write('configs/own.json', CONFIG);
    expect(await said('--weights', 'matrix-free')).toContain('the weights of a model are its own');
    expect(await said('--backend', 'native')).toContain('models are measured on wasm or cpu');
  });

  test('and a built-in network has no arguments, and no variance of weights', async ({ folder }) => {
    folder.write('configs/own.json', {
      network: { depth: 3, width: 4, parameters: { heads: 1 } },
      scaling: 'NTK',
      record: { quantities: ['weight_variance'] },
    });
    const { stderr } = await folder.call('run configs/own.json');
    expect(stderr).toContain('network.parameters: expected network.model beside it');
    expect(stderr).toContain('expected network.model for weight_variance');
  });
});
