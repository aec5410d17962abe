/**
 * Writes data/single-byte-encodings.json: those of Python's codecs, as Pyodide carries them, under which one byte is one
 * character, each ASCII byte is that ASCII character, and no other byte is.
 *
 *     node packages/python-analysis/scripts/make-single-byte-encodings.mjs
 */
import { writeFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

const python = await loadPyodide();
const found = python.runPython(`
import codecs, encodings, json, pkgutil
from encodings.aliases import aliases

def upper_half(codec):
    """The code points of the bytes 80 to FF, None where there is none; nothing for any other kind of codec."""
    try:
        info = codecs.lookup(codec)
        if not info._is_text_encoding:
            return None
        points = []
        for byte in range(256):
            text = bytes([byte]).decode(codec, "ignore")
            if len(text) > 1 or (byte < 128 and text != chr(byte)) or (byte >= 128 and text and ord(text) < 128):
                return None
            points.append(ord(text) if text else None)
        if all(point is None for point in points[128:]):
            return None
        # Codecs that keep state between bytes, or take some of them together.
        for first in range(256):
            for second in range(256):
                pair = bytes([first, second])
                if pair.decode(codec, "ignore") != "".join(chr(p) for p in (points[first], points[second]) if p is not None):
                    return None
        return points[128:]
    except Exception:
        return None

def runs(points):
    """Such as "20ac . 201a a0-ff"."""
    parts = []
    for point in points:
        if point is not None and parts and parts[-1] is not None and parts[-1][1] + 1 == point:
            parts[-1][1] = point
        else:
            parts.append(None if point is None else [point, point])
    return " ".join("." if p is None else f"{p[0]:x}" if p[0] == p[1] else f"{p[0]:x}-{p[1]:x}" for p in parts)

found = {}
for module in sorted(m.name for m in pkgutil.iter_modules(encodings.__path__)):
    points = upper_half(module) if module not in ("latin_1", "iso8859_1", "mbcs", "oem", "undefined", "charmap") else None
    if points:
        found[module] = {"aliases": sorted(a for a, m in aliases.items() if m == module), "upper_half": runs(points)}
json.dumps(found, indent=2)
`);
writeFileSync(new URL("../data/single-byte-encodings.json", import.meta.url), `${found}\n`);
