/** Scales and rates as a snippet for PyTorch. */
import { activationEntry } from '../activations.js';
import { LAYER_GROUPS } from '../architectures/architecture.js';
import type { Entry, NetworkScaling, ScaledNetwork } from '../config/scalings/network-scalings.js';

/**
 * A module of Python: the rows as a dictionary, the network of Eq. 10 or 12 with its initial weights, and parameter groups
 * with their rates.
 */
export function pytorchSnippet(
  rows: readonly NetworkScaling[],
  network: Required<ScaledNetwork>,
  beta: Entry,
): string {
  const { depth, width, input, output, activation, setting } = network;
  const number = (value: number) => String(Number(value.toPrecision(6)));
  const entries = rows.map((row) => {
    const groups = LAYER_GROUPS.map(
      (group) => `        "${group}": (${number(row[group].sigma.value)}, ${number(row[group].eta.value)}),`,
    );
    return [`    "${row.scaling}": {`, ...groups, '    },'].join('\n');
  });
  return `"""Initial scales and learning rates of Tables 1 and 2 of The Feature Speed Formula, ${setting} setting.

Depth L = ${depth} with embedding and readout, width m = ${width}, input d = ${input}, output k = ${output}, ${activation}.
Rows of Table 1 are for MLPs (Eq. 10), those of Table 2 for ResNets (Eq. 12, here with beta = ${beta.formula}).

The rates are of plain gradient descent on the loss of this module, mean |f - y|^2 / (2 k), up to one factor of order 1:
train with lr = factor * eta, and find the factor once, on a small network; it is to hold for others. With momentum mu
a step grows to 1 / (1 - mu) of it: divide by that. Adam's steps do not grow with the gradient, so eta is not for it.
"""
import math

import torch
from torch import nn

DEPTH, WIDTH, INPUT, OUTPUT = ${depth}, ${width}, ${input}, ${output}
BETA = ${number(beta.value)}

# Of input, hidden and output layers: (sigma, eta), standard deviation of the initial weights and learning rate.
SCALINGS = {
${entries.join('\n')}
}


class Network(nn.Module):
    def __init__(self, scaling):
        super().__init__()
        self.is_resnet = "Table 2" in scaling
        self.phi = ${activationEntry(activation).torch}
        sizes = [INPUT] + [WIDTH] * (DEPTH - 1) + [OUTPUT]
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in zip(sizes, sizes[1:]))
        for layer, (sigma, _) in zip(self.layers, of_layers(scaling)):
            nn.init.normal_(layer.weight, std=sigma)

    def forward(self, x):
        first, *hidden, last = self.layers
        x = first(x)
        for layer in hidden:
            step = layer(self.phi(x))
            x = math.sqrt(1 - BETA**2) * x + BETA * step if self.is_resnet else step
        return last(x if self.is_resnet else self.phi(x))


def of_layers(scaling):
    """(sigma, eta) of each layer."""
    row = SCALINGS[scaling]
    return [row["input"]] + [row["hidden"]] * (DEPTH - 2) + [row["output"]]


def parameter_groups(network, scaling, factor=1.0):
    """What torch.optim.SGD takes: each layer with its rate."""
    rates = (eta for _, eta in of_layers(scaling))
    return [{"params": layer.parameters(), "lr": factor * eta} for layer, eta in zip(network.layers, rates)]


def loss(f, y):
    return 0.5 * nn.functional.mse_loss(f, y)


if __name__ == "__main__":
    name = "${rows[0]!.scaling}"
    network = Network(name)
    optimizer = torch.optim.SGD(parameter_groups(network, name, factor=0.1))
    x, y = torch.randn(8, INPUT), torch.randn(8, OUTPUT)
    for _ in range(3):
        optimizer.zero_grad()
        value = loss(network(x), y)
        value.backward()
        optimizer.step()
        print(value.item())
`;
}
