/**
 * A residual MLP with layer norm: `depth` blocks h + branchScale * dense(relu(dense(layerNorm(h)))) between an embedding and a readout.
 */
export default ({
  tf,
  depth = 8,
  width = 128,
  inputs = 10,
  outputs = 1,
  activation = 'relu',
  branchScale = 1,
}) => {
  const Scale = scaleLayer(tf);
  const dense = (name, units, gain = 1, how = 'linear') => {
    const options = { scale: gain, mode: 'fanIn', distribution: 'normal' };
    const kernelInitializer = tf.initializers.varianceScaling(options);
    return tf.layers.dense({ name, units, activation: how, useBias: false, kernelInitializer });
  };
  const x = tf.input({ name: 'x', shape: [inputs] });
  let h = dense('embed', width).apply(x);
  for (let i = 1; i <= depth; i++) {
    let z = tf.layers.layerNormalization({ name: `norm${i}` }).apply(h);
    z = dense(`in${i}`, width, 1, activation).apply(z);
    // Half of the squares pass a ReLU.
    z = dense(`out${i}`, width, activation === 'relu' ? 2 : 1).apply(z);
    z = new Scale(`scale${i}`, branchScale).apply(z);
    h = tf.layers.add({ name: `block${i}` }).apply([h, z]);
  }
  const last = tf.layers.layerNormalization({ name: 'norm' }).apply(h);
  return tf.model({ inputs: x, outputs: dense('readout', outputs).apply(last) });
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
