"""Makes the Keras models that the tests read: TF_USE_LEGACY_KERAS=1 python keras-models.py keras2 src/cli/models-under-test

With tensorflowjs 4.22.0 (tensorflow 2.19, and keras 3.15 or tf_keras 2.19): `pip install tensorflowjs==4.22.0`, then
`pip install 'protobuf>=6.31.1'`, without which it does not load. Beside each model stands what it gives for one input.
"""
import json
import os
import sys

import numpy as np
import tensorflowjs as tfjs

name, folder = sys.argv[1:]
if name == "keras2":
    import tf_keras as keras
else:
    import keras
assert keras.__version__[0] == name[-1], f"{name} asked for, keras {keras.__version__} found"
keras.utils.set_random_seed(1)
L = keras.layers


def residual():
    """Layer norms, a residual branch, dropout, a shared layer, softmax."""
    x = keras.Input((5,), name="x")
    shared = L.Dense(6, activation="tanh", name="shared")
    h = L.Dense(6, name="embed")(x)
    for i in range(2):
        z = L.LayerNormalization(name=f"norm{i}")(h)
        z = L.Dropout(0.5, name=f"dropout{i}")(shared(z))
        h = L.Add(name=f"add{i}")([h, z])
    return keras.Model(x, L.Dense(3, activation="softmax", name="readout")(h), name="residual")


def convolutional():
    """Convolution, batch normalisation, pooling, a model within the model, a frozen layer; sequential."""
    head = keras.Sequential([keras.Input((8,)), L.Dense(4, activation="elu", name="hidden"), L.Dense(2, name="out")], name="head")
    layers = [
        keras.Input((6, 6, 1)),
        L.Conv2D(3, 3, padding="same", name="conv"),
        L.BatchNormalization(name="norm"),
        L.ReLU(name="relu"),
        L.MaxPooling2D(2, name="pool"),
        L.Flatten(name="flat"),
        L.Dense(8, name="frozen", trainable=False),
        head,
    ]
    return keras.Sequential(layers, name="convolutional")


for build in (residual, convolutional):
    model = build()
    x = np.random.default_rng(1).standard_normal((2, *model.inputs[0].shape[1:])).astype("float32")
    if build is convolutional:
        model.get_layer("norm").set_weights([np.float32([1, 2, 3]), np.float32([0, 0.5, 1]), np.float32([0.1, 0.2, 0.3]), np.float32([1, 2, 0.5])])
    path = os.path.join(folder, f"{name}-{build.__name__}")
    tfjs.converters.save_keras_model(model, path)
    y = model(x, training=False).numpy()
    with open(os.path.join(path, "example.json"), "w") as file:
        json.dump({"shape": x.shape, "input": x.ravel().tolist(), "output": y.ravel().tolist()}, file)
