"""The figures as one writes them in numpy: float64 weights drawn and multiplied draw by draw, G formed, two forward passes.

Measures some cells of each figure, spread evenly over its depths and curves, and prints as JSON how many there are of how
many, and what they took: seconds by the clock, and of the processor.
"""

import json
import time

import numpy as np


def relu(f):
    return np.maximum(f, 0)


def one_step(depth, width, beta, readout, step, x, y):
    """One gradient step of a ResNet at the rates of Eq. 8: the angle of the last features, and their sensitivity."""
    (inputs, samples), outputs = x.shape, y.shape[0]
    first = np.random.randn(width, inputs) / np.sqrt(inputs)
    hidden = [np.random.randn(width, width) * np.sqrt(2 / width) for _ in range(depth - 2)]
    last = np.random.randn(outputs, width) * readout
    skip = np.sqrt(1 - beta**2)

    def forward(weights):
        f = [first @ x]
        for v in weights:
            f.append(skip * f[-1] + beta * v @ relu(f[-1]))
        error = last @ f[-1] - y
        return f, error, np.sum(error**2) / (2 * outputs * samples)

    f, error, loss = forward(hidden)
    backward = end = last.T @ error / (outputs * samples)
    moved = [None] * len(hidden)
    for i in reversed(range(len(hidden))):
        gradient = beta * backward @ relu(f[i]).T
        moved[i] = hidden[i] - step / (depth * np.sum(gradient**2)) * gradient
        backward = skip * backward + (f[i] > 0) * (beta * hidden[i].T @ backward)
    after, _, loss_after = forward(moved)
    change = after[-1] - f[-1]
    cosine = -np.sum(end * change) / np.linalg.norm(end) / np.linalg.norm(change)
    return np.arccos(cosine), np.sqrt(np.mean(change**2)) / abs(loss_after - loss)


def single(width, beta_of, readout=lambda depth, width: 1 / width, step=0.001, inputs=10):
    """A cell of one sample: depth and curve to a step."""

    def measure(depth, curve):
        x = np.random.randn(inputs, 1) / np.sqrt(inputs)
        y = np.random.randn(1, 1)
        one_step(depth, width, beta_of(curve, depth), readout(depth, width), step, x, y)

    return measure


def many(depth, curve):
    """A cell of figure 2b."""
    x = np.random.randn(4, 200)
    y = np.cos(np.pi * x[:2])
    beta = [1 / np.sqrt(depth), 1 / depth][curve]
    one_step(depth, 50, beta, 1 / 50, 0.01 * beta, x, y)


def branch_scale(curve, depth):
    return [1 / depth, 0.5 / np.sqrt(depth), 1 / np.sqrt(depth), min(2 / np.sqrt(depth), 1), 0.999][curve]


# What measures a cell, depths, curves and draws of each figure; and how many cells are measured of each depth that is taken.
FIGURES = {
    "figure-1a": (single(200, branch_scale), [200], 5, 5, 1),
    "figure-1b": (single(200, branch_scale), range(10, 201), 5, 1, 12),
    "figure-1c": (single(500, lambda curve, depth: 10 ** (3 * curve / 19 - 3)), [30, 100, 500], 20, 5, 3),
    "figure-2a": (single(400, lambda curve, depth: 1), range(5, 41), 3, 2, 6),
    "figure-2b": (many, range(20, 101), 2, 2, 8),
}

report = {}
for name, (measure, depths, curves, draws, taken) in FIGURES.items():
    places = [round(i) for i in np.linspace(0, len(depths) - 1, taken)]
    measure(min(depths), 0)
    wall, processor = time.perf_counter(), time.process_time()
    for i, place in enumerate(places):
        measure(depths[place], i % curves)
    report[name] = {
        "measured": taken,
        "cells": len(depths) * curves * draws,
        "seconds": time.perf_counter() - wall,
        "processor_seconds": time.process_time() - processor,
    }
print(json.dumps({"numpy": np.__version__, "figures": report}))
