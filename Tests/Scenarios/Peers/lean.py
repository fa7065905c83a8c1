"""For peers that touch no pixels, imported before anything else of pydicom: whenever that is imported it looks for numpy,
for its decoders and for a client of the web, which takes two thirds of such a peer's start."""
import sys

hidden = [
    name
    for name in ("numpy", "requests", "gdcm", "pylibjpeg", "openjpeg", "libjpeg", "rle", "jpeg_ls", "PIL")
    if name not in sys.modules
]
for name in hidden:
    sys.modules[name] = None
import pydicom  # noqa: E402,F401

for name in hidden:
    del sys.modules[name]
