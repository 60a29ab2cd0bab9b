/**
 * An MLP-Mixer on patches: `depth` blocks, each of an MLP across the patches and of one across the channels, on branches
 * h + branchScale * mlp(layerNorm(h)); the mean over the patches is read out.
 */
export default ({ tf, depth = 4, width = 32, patches = 16, pixels = 12, outputs = 10, branchScale = 1 }) => {
  const { add, layerNormalization, permute } = tf.layers;
  const Scale = scaleLayer(tf);
  const dense = (name, units, activation = 'linear') => {
    const kernelInitializer = tf.initializers.varianceScaling({ mode: 'fanIn', distribution: 'normal' });
    return tf.layers.dense({ name, units, activation, kernelInitializer });
  };
  const turn = (name) => permute({ name, dims: [2, 1] });
  const mlp = (name, units) => [dense(`${name}/in`, 2 * units, 'gelu'), dense(`${name}/out`, units)];
  const residual = (h, name, layers) => {
    const branch = [
      layerNormalization({ name: `${name}/norm` }),
      ...layers,
      new Scale(`${name}/scale`, branchScale),
    ];
    return add({ name }).apply([h, branch.reduce((z, layer) => layer.apply(z), h)]);
  };
  const x = tf.input({ name: 'patches', shape: [patches, pixels] });
  let h = dense('embed', width).apply(x);
  for (let i = 1; i <= depth; i++) {
    const across = `across${i}`;
    h = residual(h, across, [turn(`${across}/turn`), ...mlp(across, patches), turn(`${across}/back`)]);
    h = residual(h, `channels${i}`, mlp(`channels${i}`, width));
  }
  h = layerNormalization({ name: 'norm' }).apply(h);
  h = tf.layers.globalAveragePooling1d({ name: 'average' }).apply(h);
  return tf.model({ inputs: x, outputs: dense('readout', outputs).apply(h) });
};

function scaleLayer(tf) {
  return class Scale extends tf.layers.Layer {
    static className = 'Scale';
    constructor(name, factor) {
      super({ name });
      this.factor = factor;
    }
    call(inputs) {
      return tf.tidy(() => tf.mul([inputs].flat()[0], this.factor));
    }
  };
}
