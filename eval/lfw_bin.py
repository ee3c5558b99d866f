"""Packs the pairs of a pairs.txt of LFW as InsightFace packs lfw.bin: a pickle of (picture files, issame flags).

    ./facedistill align --data lfw --template arcface --size 112 --margin 0 --output lfw112
    python3 eval/lfw_bin.py lfw112 LFW/pairs.txt lfw.bin
"""
import pickle
import sys
from pathlib import Path


def main(faces: str, pairs: str, output: str) -> None:
    def picture(person: str, number: str) -> bytes:
        return (Path(faces) / person / f"{person}_{int(number):04d}.jpg").read_bytes()

    bins, issame, left_out = [], [], 0
    for line in Path(pairs).read_text(encoding="utf-8").splitlines()[1:]:
        fields = line.split("\t")
        person, other = fields[0], fields[0] if len(fields) == 3 else fields[2]
        try:
            bins += [picture(person, fields[1]), picture(other, fields[-1])]
            issame.append(len(fields) == 3)
        except FileNotFoundError:  # the aligner found no face in it
            left_out += 1
    with open(output, "wb") as file:
        pickle.dump((bins, issame), file, protocol=pickle.HIGHEST_PROTOCOL)
    print(f"{output}: {len(issame)} pairs, {left_out} left out")


if __name__ == "__main__":
    main(*sys.argv[1:4])
