"""Counts IJB's protocols on a small drawn set with NumPy, from the definitions and independent of FaceDistill: python3 ijb_expected.py writes
ijb_expected.json beside itself, which IjbTests compares with (NumPy 1.24 wrote it). The set is drawn by a generator that IjbTests has too; 'peers' is what
InsightFace's ijb_11.py prints (scikit-learn's roc_curve, nearest false accept rate)."""
import json
import os

import numpy as np

state = 15


def draw(low, high):
    """low to high - 1"""
    global state
    state = (state * 1103515245 + 12345) % 2**31
    return low + (state >> 8) % (high - low)


people, dim = 80, 8
centres = [[draw(-12, 13) for _ in range(dim)] for _ in range(people)]
faces, subject_of = [], {}
galleries, probes = ([], []), []
template, media = 100, 1000
for person in range(people):
    for kind in range(4):  # the first is enrolled
        template += draw(1, 4)
        subject_of[template] = person + 500
        (galleries[person % 2] if kind == 0 else probes).append(template)
        for _ in range(draw(1, 4)):
            media += 1
            for _ in range(draw(1, 5)):
                value = np.array([centres[person][i] + draw(-12, 13) for i in range(dim)])
                faces.append((template, media, value / 16.0, draw(40, 65) / 64.0))
templates = sorted(subject_of)
pairs = [(a, b) for a in galleries[0] + galleries[1] for b in probes if draw(0, 3) == 0]


def pooled(weighted):
    result = {}
    for t in templates:
        total = np.zeros(dim)
        for m in sorted({face[1] for face in faces if face[0] == t}):
            total += np.mean([face[2] * (face[3] if weighted else 1.0) for face in faces if face[:2] == (t, m)], axis=0)
        result[t] = total.astype(np.float32).astype(np.float64)
    return {t: v / np.linalg.norm(v) for t, v in result.items()}


def permitted(rate, count):
    return int(np.floor(round(rate * count, 9)))


def at_most(rate, negatives):
    """The smallest threshold at which at most this share of the negatives is accepted."""
    allowed = permitted(rate, len(negatives))
    return None if allowed < 1 else np.nextafter(np.float32(np.sort(negatives)[::-1][allowed]), np.float32(np.inf))


def corners(labels, scores):
    rank = np.argsort(-scores, kind="stable")
    y, s = labels[rank], scores[rank]
    last = np.r_[np.where(np.diff(s))[0], len(s) - 1]
    tps, fps = np.cumsum(y)[last], (1 + last - np.cumsum(y)[last])
    keep = np.r_[True, np.logical_or(np.diff(fps, 2), np.diff(tps, 2)), True]
    tps, fps = np.r_[0, tps[keep]], np.r_[0, fps[keep]]
    return np.flipud(fps / fps[-1]), np.flipud(tps / tps[-1])


def verification(weighted):
    vectors = pooled(weighted)
    scores = np.array([np.float32(vectors[a] @ vectors[b]) for a, b in pairs])
    labels = np.array([subject_of[a] == subject_of[b] for a, b in pairs])
    result = {"genuinePairs": int(labels.sum()), "impostorPairs": int((~labels).sum()), "tarAtFar": {}, "falseAcceptsAtFar": {}, "peersTarAtFar": {}}
    fpr, tpr = corners(labels.astype(int), scores)
    for label in ("1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6"):
        far = float(label)
        threshold = at_most(far, scores[~labels])
        result["tarAtFar"][label] = None if threshold is None else float((scores[labels] >= threshold).mean())
        result["falseAcceptsAtFar"][label] = None if threshold is None else int((scores[~labels] >= threshold).sum())
        result["peersTarAtFar"][label] = float(tpr[min(zip(abs(fpr - far), range(len(fpr))))[1]])
    return result


def search(weighted):
    vectors = pooled(weighted)
    both = galleries[0] + galleries[1]
    scores = np.array([[np.float32(vectors[p] @ vectors[g]) for g in both] for p in probes])
    own = np.array([[subject_of[p] == subject_of[g] for g in both] for p in probes])
    rank = np.array([(row >= row[mine][0]).sum() for row, mine in zip(scores, own)])
    result = {f"rank{k}": float((rank <= k).mean()) for k in (1, 5, 10)}
    for name, columns in (("openSet", slice(0, len(galleries[0]))), ("secondGallery", slice(len(galleries[0]), None))):
        s, o = scores[:, columns], own[:, columns]
        mated = o.any(axis=1)
        result[name] = {"knownProbes": int(mated.sum()), "unknownProbes": int((~mated).sum()), "dirAtFar": {}}
        for label in ("1e-2", "1e-3"):
            threshold = at_most(float(label), s[~mated].max(axis=1))
            result[name]["dirAtFar"][label] = None if threshold is None else float(np.mean(
                [(row >= row[mine][0]).sum() == 1 and row[mine][0] >= threshold for row, mine in zip(s[mated], o[mated])]))
    return result


expected = {name: {"verification": verification(weighted), "search": search(weighted)} for name, weighted in (("plain", False), ("detectorScores", True))}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "ijb_expected.json"), "w", newline="\n") as file:
    file.write(json.dumps(expected, indent=1) + "\n")
