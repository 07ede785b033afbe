"""ZIP files written by hand, so that each field can lie."""

import struct
import zlib


class Entry:
    """An entry of an archive, with what its two headers say about it."""

    def __init__(self, name, content=b"", method=8, **lies):
        self.name = name if isinstance(name, bytes) else name.encode()
        self.content = content if isinstance(content, bytes) else content.encode()
        self.method, self.lies = method, lies

    def packed(self) -> bytes:
        if "packed" in self.lies:
            return self.lies["packed"]
        if self.method == 8:
            deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
            return deflate.compress(self.content) + deflate.flush()
        return self.content

    def fields(self, where: str) -> dict:
        packed = self.packed()
        fields = {"name": self.name, "flags": 0x800, "method": self.method, "crc": zlib.crc32(self.content), "size": len(self.content),
                  "packed_size": len(packed), "extra": b"", "attributes": 0, "made_by": 20, "comment": b"", "disk": 0}
        fields.update({key: value for key, value in self.lies.items() if "." not in key})
        fields.update({key.split(".")[1]: value for key, value in self.lies.items() if key.startswith(where + ".")})
        return fields


def local(entry: Entry) -> bytes:
    f = entry.fields("local")
    return struct.pack("<4s5HIIIHH", b"PK\3\4", 20, f["flags"], f["method"], 0, 0x5A21, f["crc"], f["packed_size"], f["size"], len(f["name"]), len(f["extra"])) + f["name"] + f["extra"]


def central(entry: Entry, offset: int) -> bytes:
    f = entry.fields("central")
    offset = f.get("offset", offset)
    return struct.pack("<4s6HIIIHHHHHII", b"PK\1\2", f["made_by"], 20, f["flags"], f["method"], 0, 0x5A21, f["crc"], f["packed_size"], f["size"],
                       len(f["name"]), len(f["extra"]), len(f["comment"]), f["disk"], 0, f["attributes"], offset) + f["name"] + f["extra"] + f["comment"]


def end(count: int, size: int, offset: int, comment: bytes = b"", disk: int = 0) -> bytes:
    return struct.pack("<4s4HIIH", b"PK\5\6", disk, disk, min(count, 0xFFFF), min(count, 0xFFFF), size, offset, len(comment)) + comment


def archive(entries: list, before: bytes = b"", comment: bytes = b"", gap: bytes = b"", **end_lies) -> bytes:
    """The archive of these entries. An entry may bring `after`, bytes that follow its data."""
    out, places = bytearray(before), []
    for entry in entries:
        places.append(len(out))
        if not entry.lies.get("only_central"):
            out += local(entry) + entry.packed() + entry.lies.get("after", b"")
    out += gap
    start = len(out)
    for entry, place in zip(entries, places):
        if not entry.lies.get("only_local"):
            out += central(entry, place)
    count = sum(not entry.lies.get("only_local") for entry in entries)
    return bytes(out) + end(end_lies.get("count", count), end_lies.get("size", len(out) - start), end_lies.get("offset", start), comment)


def of(parts: dict) -> bytes:
    """A plain archive of these parts. The part `mimetype` is stored."""
    return archive([Entry(name, content, method=0 if name == "mimetype" else 8) for name, content in parts.items()])
