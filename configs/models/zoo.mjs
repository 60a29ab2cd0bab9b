/** The networks of this folder that have branches, by number: 1 the transformer, 2 the residual MLP, 3 the convolutional ResNet, 4 the Mixer. */
import convResnet from './conv-resnet.mjs';
import mlpMixer from './mlp-mixer.mjs';
import residualMlp from './residual-mlp.mjs';
import transformer from './transformer.mjs';

export default ({ network, ...rest }) => {
  const make = [transformer, residualMlp, convResnet, mlpMixer][network - 1];
  if (!make) throw new Error(`expected network 1, 2, 3 or 4, got ${network}`);
  return make(rest);
};
