/**
 * A small convolutional ResNet: `depth` blocks h + branchScale * conv(relu(norm(conv(relu(norm(h)))))) of 3 x 3 convolutions, pooled to
 * half the size after the first half of them, and averaged over the image before the readout.
 */
export default ({ tf, depth = 4, width = 16, size = 8, channels = 3, outputs = 10, branchScale = 1 }) => {
  const { add, averagePooling2d, batchNormalization, globalAveragePooling2d, reLU } = tf.layers;
  const Scale = scaleLayer(tf);
  const options = (scale) => ({ scale, mode: 'fanIn', distribution: 'normal' });
  const conv = (name, gain = 2) => {
    const kernelInitializer = tf.initializers.varianceScaling(options(gain));
    return tf.layers.conv2d({
      name,
      filters: width,
      kernelSize: 3,
      padding: 'same',
      useBias: false,
      kernelInitializer,
    });
  };
  const x = tf.input({ name: 'image', shape: [size, size, channels] });
  let h = conv('embed', 1).apply(x);
  for (let i = 1; i <= depth; i++) {
    const branch = ['a', 'b'].flatMap((part) => [
      batchNormalization({ name: `norm${i}${part}` }),
      reLU({ name: `relu${i}${part}` }),
      conv(`conv${i}${part}`),
    ]);
    branch.push(new Scale(`scale${i}`, branchScale));
    h = add({ name: `block${i}` }).apply([h, branch.reduce((z, layer) => layer.apply(z), h)]);
    if (i === Math.ceil(depth / 2)) h = averagePooling2d({ name: 'pool', poolSize: 2 }).apply(h);
  }
  h = globalAveragePooling2d({ name: 'average' }).apply(h);
  const kernelInitializer = tf.initializers.varianceScaling(options(1));
  const readout = tf.layers.dense({ name: 'readout', units: outputs, kernelInitializer });
  return tf.model({ inputs: x, outputs: readout.apply(h) });
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
