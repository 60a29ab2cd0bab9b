"""Saves one step of a torch module for `feature-speed inspect --capture FILE`.

    from capture import capture
    capture(model, x, lambda f: (f - y).square().mean() / 2, {"block1": model.block1, "block2": model.block2}, "step.safetensors")

`layers` names submodules in the order of the forward pass, such that all paths through the network lead through each. A layer has the
parameters of its own that no earlier one has, and the last those that are left. What is saved is the velocity under gradient descent with
the rate 1, by forward-mode derivatives: exact, in the precision of the model.
"""
import json

import torch
from safetensors.torch import save_file


def capture(model, x, loss, layers, path):
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}

    def run(values):
        features, hooks = {}, []
        for name, layer in layers.items():
            hooks.append(layer.register_forward_hook(lambda _, __, out, name=name: features.__setitem__(name, out)))
        try:
            output = torch.func.functional_call(model, values, (x,))
            return loss(output), features, output
        finally:
            for hook in hooks:
                hook.remove()

    value, features, output = run(parameters)
    wanted = [*parameters.values(), *features.values()]
    found = torch.autograd.grad(value, wanted, allow_unused=True)
    slopes = dict(zip([*parameters, *(f"backward.{name}" for name in features)], found))
    gradient = {n: torch.zeros_like(p) if slopes[n] is None else slopes[n] for n, p in parameters.items()}
    primals = {n: p.detach() for n, p in parameters.items()}
    _, tangents = torch.func.jvp(run, (primals,), ({n: -g for n, g in gradient.items()},))
    tensors, left, names = {}, dict(gradient), {id(p): n for n, p in parameters.items()}
    for i, (name, layer) in enumerate(layers.items()):
        is_last = i == len(layers) - 1
        own = list(left) if is_last else [names[id(p)] for p in layer.parameters() if id(p) in names]
        tensors[f"features.{name}"] = features[name].detach()
        tensors[f"backward.{name}"] = slopes[f"backward.{name}"]
        tensors[f"change.{name}"] = tangents[1][name].detach()
        squares = [left.pop(n).square().sum() for n in own if n in left]
        if squares:
            tensors[f"contribution.{name}"] = torch.stack(squares).sum()
    metadata = {"format": "feature-speed-capture", "kind": "velocity", "layers": json.dumps(list(layers))}
    metadata |= {"loss": str(value.item()), "loss_change": str(tangents[0].item())}
    if features[name] is output:
        metadata["output"] = name
    save_file({name: t.contiguous() for name, t in tensors.items()}, path, metadata)
