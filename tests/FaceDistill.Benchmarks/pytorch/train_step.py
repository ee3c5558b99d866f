#!/usr/bin/env python3
"""The benchmark's training step in PyTorch: same network, batch, loss and optimizer as BareStep.cs.

MobileNet v1 (global average pooling, 128 outputs), channels-last, squared difference, AdamW without decay on batch norms and
biases, one resident batch of random numbers. Prints one number: images a second, the best of several rounds.
Debian: apt-get install python3-torch. Options: --width --resolution --batch --seconds --rounds --threads.
"""
import argparse
import time

import torch
from torch import nn

BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1)]


def channels(full, width):
    return max(8, int(full * width + 1e-9))


def layer(into, out, kernel, stride, groups):
    return [nn.Conv2d(into, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]


def mobilenet(width, dimension):
    last = channels(32, width)
    layers = layer(3, last, 3, 2, 1)
    for full, stride in BLOCKS:
        out = channels(full, width)
        layers += layer(last, last, 3, stride, last) + layer(last, out, 1, 1, 1)
        last = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(last, dimension))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--width", type=float, required=True)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model = mobilenet(options.width, 128).to(memory_format=torch.channels_last).train()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 1e-4}, {"params": others, "weight_decay": 0.0}], lr=1e-3)
    pixels = torch.randn(options.batch, 3, options.resolution, options.resolution).to(memory_format=torch.channels_last)
    target = torch.randn(options.batch, 128)

    def step():
        loss = (model(pixels) - target).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    for _ in range(3):
        step()
    best = 0.0
    for _ in range(options.rounds):
        start, steps = time.perf_counter(), 0
        while True:
            step()
            steps += 1
            passed = time.perf_counter() - start
            if passed >= options.seconds:
                break
        best = max(best, steps * options.batch / passed)
    print(f"{best:.2f} {torch.__version__}")


main()
