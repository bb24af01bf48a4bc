"""Pictures as PNG files, written without any library of pictures."""
import struct
import zlib


def write_png(path, width, height, values, channels=1, depth=8):
    """Grey or RGB, without filters; `values`: bytes, or whole numbers below 256."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    size = width * channels * depth // 8
    rows = b"".join(b"\0" + bytes(values[y * size:(y + 1) * size]) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, {1: 0, 3: 2}[channels], 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
