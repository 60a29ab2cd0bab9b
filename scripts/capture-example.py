"""Makes src/cli/models-under-test/pre-ln.safetensors with torch 2.15: four pre-LN blocks in float64, as torch has them."""
import sys

import torch
from capture import capture

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)


class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.qkv, self.out = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
        self.mlp = torch.nn.Sequential(torch.nn.Linear(width, 2 * width), torch.nn.GELU(), torch.nn.Linear(2 * width, width))

    def forward(self, h):
        q, k, v = self.qkv(self.norm1(h)).chunk(3, -1)
        weights = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1)
        h = h + self.out(weights @ v)
        return h + self.mlp(self.norm2(h))


class Network(torch.nn.Module):
    def __init__(self, width=8, depth=4):
        super().__init__()
        self.embed = torch.nn.Linear(5, width)
        self.blocks = torch.nn.ModuleList(Block(width) for _ in range(depth))
        self.readout = torch.nn.Linear(width, 3)

    def forward(self, x):
        h = self.embed(x)
        for block in self.blocks:
            h = block(h)
        return self.readout(h)


model, x, y = Network(), torch.randn(2, 4, 5), torch.randn(2, 4, 3)
layers = {"embed": model.embed} | {f"block{i}": block for i, block in enumerate(model.blocks, 1)} | {"readout": model.readout}
capture(model, x, lambda f: (f - y).square().mean() / 2, layers, sys.argv[1])
