"""Makes the samples beside it, with what writes these formats in the field: Python's pickle (2 and 3, with NumPy) and tarfile.

    python2.7 make.py; python3 make.py; the interpreter that has NumPy makes the numpy-*.bin
Twenty drawn pictures (4 x 4 grey blocks, 112 x 112 pixels, PNG): ten pairs, of which the even ones show the same blocks twice, once a little lighter.
"""
import io
import os
import pickle
import struct
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) & 0xFFFFFFFF)


def png(blocks):
    rows = bytearray()
    for y in range(112):
        rows += b"\0" + bytearray(blocks[y // 28 * 4 + x // 28] for x in range(112))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 112, 112, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(rows), 9))
            + chunk(b"IEND", b""))


def drawn(seed):
    state = seed * 7919 + 17
    blocks = []
    for _ in range(16):  # random.Random differs between Python 2 and 3
        state = (state * 1103515245 + 12345) % 2147483648
        blocks.append(state // 65536 % 200 + 20)
    return blocks


def pictures():
    for pair in range(10):
        first = drawn(pair)
        yield png(first)
        yield png([min(255, v + 3) for v in first] if pair % 2 == 0 else drawn(pair + 100))


def save(name, value, protocol):
    with open(os.path.join(HERE, name), "wb") as file:
        pickle.dump(value, file, protocol=protocol)


bins, issame = list(pictures()), [pair % 2 == 0 for pair in range(10)]
for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    save("python%d-%d.bin" % (sys.version_info[0], protocol), (bins, issame), protocol)
try:
    import numpy

    arrays = [numpy.frombuffer(b, numpy.uint8) for b in bins]
    for protocol in (0, 2, 4, 5):
        save("numpy-%d.bin" % protocol, (arrays, numpy.array(issame)), protocol)
    save("numpy-flags.bin", (bins, [numpy.bool_(flag) for flag in issame]), 4)
    save("numpy-objects.bin", ([numpy.array([b], dtype=object) for b in bins], issame), 4)
except ImportError:
    pass

if sys.version_info[0] == 3:
    import tarfile

    for name, style in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
        with tarfile.open(os.path.join(HERE, name + ".tar"), "w", format=style) as tar:
            for i in range(3):
                key = "%06d" % i if name == "ustar" or i < 2 else "b" * 110  # a name that needs a record of its own
                for ending, data in ((".png", bins[2 * i]), (".cls", b"%d" % (i // 2))):
                    info = tarfile.TarInfo(key + ending)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
