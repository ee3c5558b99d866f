"""Loads a student that `facedistill export --format safetensors` wrote: PyTorch and NumPy, nothing else.

python3 student.py student.safetensors faces.npy embeddings.npy    # faces: uint8 [N, r, r, 3], RGB, aligned
"""
import json, re, sys
import numpy as np
import torch
from torch import nn


class Student(nn.Module):
    """MobileNet v1: a strided 3x3 convolution, 13 depthwise-separable blocks, a head, a linear layer; full convolutions in place of the
    blocks in the conv network."""

    def __init__(self, tensors):
        super().__init__()
        self.convs = [n[:-7] for n in tensors if n.endswith(".weight") and tensors[n].dim() == 4]
        self.convs.sort(key=lambda n: (n == "gdc", int(re.sub(r"\D", "", n) or 0), n))  # conv0, dw1, pw1, dw2, ..., gdc
        for n in self.convs:
            out, per_group, k, _ = tensors[n + ".weight"].shape
            stride = 2 if n == "conv0" or re.fullmatch("(dw|conv)(2|4|6|12)", n) else 1
            groups = out if n[:2] in ("dw", "gd") else 1
            self.add_module(n, nn.Conv2d(per_group * groups, out, k, stride, 1 if n != "gdc" and k == 3 else 0, groups=groups, bias=False))
            self.add_module(n + "_bn", nn.BatchNorm2d(out))
        self.embedding = nn.Linear(*reversed(tensors["embedding.weight"].shape))
        self.register_buffer("target_mean", tensors["target_mean"].clone())
        self.register_buffer("target_scale", tensors["target_scale"].clone())
        self.load_state_dict(tensors)

    def forward(self, x):  # float32 [N, 3, r, r], (value - 127.5) / 127.5
        for n in self.convs:
            x = getattr(self, n + "_bn")(getattr(self, n)(x))
            x = x if n == "gdc" else x.relu()
        x = x.flatten(1) if "gdc" in self.convs else x.mean((2, 3))
        return self.embedding(x) * self.target_scale + self.target_mean


def read(path):
    """The tensors and the metadata of a safetensors file."""
    data = open(path, "rb").read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    metadata, types = header.pop("__metadata__", {}), {"F32": np.float32, "I64": np.int64}
    return {n: torch.from_numpy(np.frombuffer(data, types[t["dtype"]], int(np.prod(t["shape"])), start + t["data_offsets"][0])
                                .reshape(t["shape"]).copy()) for n, t in header.items()}, metadata


if __name__ == "__main__":
    tensors, metadata = read(sys.argv[1])
    student = Student(tensors).eval()
    contract = json.loads(metadata["facedistill.contract"])
    faces = torch.from_numpy(np.load(sys.argv[2])).permute(0, 3, 1, 2).float()
    mean, std = (torch.tensor(contract[k]).view(1, 3, 1, 1) for k in ("mean", "std"))
    with torch.no_grad():
        np.save(sys.argv[3], student((faces - mean) / std).numpy())
