#!/usr/bin/env python3
"""Parts the public collections into training data and a second test of other people, photographed otherwise than LFW's.

    lay_out_strangers.py FACES IDENTITY LFW_NAMES OUT

FACES holds the seven collections of datasets/*.json, each in a folder of its name and in it as its card says; but celeba-wild flat and ytf-frames as
training/ and test/, as their repositories have them. Pictures of LFW's test people were taken out beforehand, by a list that is not in this repository:
`facedistill audit --test lfw --protocol lfw-view1-test` finds them. IDENTITY is identity_CelebA.txt of celeba-wild's repository; LFW_NAMES is
lfw-names.txt. OUT receives hard links: `strangers` (one folder a person: the test) and the training folders, in which celeba-wild and ytf-frames have
one folder a person. Seven of ten people of celeba-wild are strangers, chosen by a hash of their number; people of ytf-frames
who are in LFW (all but a few) train, the others are strangers. No picture of a stranger, by number, stays in celeba-b. celeba-a has no numbers: find them
there, and in all other training data, with `facedistill audit --test OUT/strangers`, and train with `--exclude` of its list.

CelebA's numbers give some people two names. SAME and UNSURE are what `facedistill audit --within` showed at a cosine of faceplugin-512 of 0.62 and more.
"""
import hashlib, os, sys

SAME = {"7393": "7392", "7317": "7312", "7319": "7312", "7320": "7312"}
UNSURE = {"7243", "7357", "7361", "7383", "7484"}  # 0.62 to 0.73 to another number: neither train nor test


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    faces, identity, lfw_names, out = sys.argv[1:]
    number = dict(line.split() for line in open(identity, encoding="utf-8") if line.strip())
    lfw = {line.split()[0] for line in open(lfw_names, encoding="utf-8") if line.strip()}
    counts, strangers = {}, set()

    def put(source, *target):
        path = os.path.join(out, *target)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.exists(path):
            os.link(source, path)
        counts[target[0]] = counts.get(target[0], 0) + 1

    wild = os.path.join(faces, "celeba-wild")
    for file in sorted(os.listdir(wild)):
        person = number[file]
        if hashlib.sha256(f"facedistill celeba-{person}".encode()).digest()[0] >= 256 * 0.7:
            put(os.path.join(wild, file), "celeba-wild", f"celeba-{person}", file)
            continue
        strangers.add(person)
        if person not in UNSURE:
            put(os.path.join(wild, file), "strangers", f"celeba-{SAME.get(person, person)}", file)
    for part in ("training", "test"):
        folder = os.path.join(faces, "ytf-frames", part)
        for file in sorted(os.listdir(folder)):
            person = file.rsplit("_", 1)[0]
            put(os.path.join(folder, file), "ytf-frames" if person in lfw else "strangers", person, file)
    for name in ("celeba-a", "celeba-b", "no-mask", "ffhq-like", "utkface-full"):
        for folder, _, files in os.walk(os.path.join(faces, name)):
            for file in files:
                if name == "celeba-b" and os.path.basename(folder) == "real" and number.get(file) in strangers:
                    continue
                path = os.path.join(folder, file)
                put(path, *os.path.relpath(path, faces).split(os.sep))
    print(", ".join(f"{name} {count}" for name, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
