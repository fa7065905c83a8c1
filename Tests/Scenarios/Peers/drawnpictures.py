"""Pictures that move, that overlays draw on, and whose colours are converted, against Pillow and numpy.

drawnpictures.py PORT FOLDER    the token is in HUIZHEN_WEB_TOKEN; the last line is a JSON report
"""
import copy
import io
import struct

import numpy
import pydicom
from PIL import Image, ImageSequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, RLELossless, generate_uid
import sys

import dicomweb
from dicomweb import check, root, session

random = numpy.random.default_rng(7)
phantoms = {name: pydicom.dcmread(io.BytesIO(data)) for name, data in dicomweb.files(sys.argv[2]).items()}


def address(dataset):
    return (f"{root}/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
            f"/instances/{dataset.SOPInstanceUID}")


def store(dataset):
    stream = io.BytesIO()
    big = dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    dataset.save_as(stream, enforce_file_format=True, little_endian=not big, implicit_vr=False)
    answer = session.post(root + "/studies", data=stream.getvalue(), headers={"Content-Type": "application/dicom"})
    check(answer.status_code == 200, f"store: {answer.status_code} {answer.text[:200]}")
    return address(dataset)


def variant(dataset, syntax=ExplicitVRLittleEndian, **changes):
    result = copy.deepcopy(dataset)
    result.SOPInstanceUID = generate_uid(None)
    result.file_meta.MediaStorageSOPInstanceUID = result.SOPInstanceUID
    result.file_meta.TransferSyntaxUID = syntax
    for name, value in changes.items():
        setattr(result, name, value)
    return result


def shown(path, accept="image/png", query="", status=200):
    answer = session.get(path + query, headers={"Accept": accept})
    check(answer.status_code == status, f"{accept} {query}: {answer.status_code} {answer.text[:100] if status == 200 else ''}")
    if answer.status_code != 200:
        return None
    check(answer.headers["Content-Type"] == accept, f"{accept}: {answer.headers['Content-Type']}")
    return answer


def pixels(answer):
    return numpy.array(Image.open(io.BytesIO(answer.content)))


def moving():
    made = 0
    for name in ("us-cine.dcm", "xa-cine.dcm", "sc-multiframe.dcm"):
        dataset = phantoms[name]
        path = store(dataset)
        count = int(dataset.NumberOfFrames)
        answer = shown(path + "/rendered", "image/gif")
        image = Image.open(io.BytesIO(answer.content))
        check(getattr(image, "n_frames", 1) == count, f"{name}: {getattr(image, 'n_frames', 1)} of {count} frames")
        check(image.info.get("loop") == 0, f"{name}: does not repeat")
        milliseconds = float(1000 / dataset.CineRate if "CineRate" in dataset else dataset.get("FrameTime", 100))
        if "RecommendedDisplayFrameRate" in dataset:
            milliseconds = 1000 / dataset.RecommendedDisplayFrameRate
        check(abs(image.info["duration"] - max(20, milliseconds)) <= 5, f"{name}: {image.info['duration']} ms a frame")
        for index, frame in enumerate(ImageSequence.Iterator(image)):
            if index not in (0, count // 2, count - 1):
                continue
            wanted = pixels(shown(f"{path}/frames/{index + 1}/rendered"))
            found = numpy.array(frame.convert("L" if wanted.ndim == 2 else "RGB")).astype("i4")
            worst = numpy.abs(found - wanted)
            # Of grey pictures nothing is lost; of colours 256 are left.
            check(worst.max() == 0 if wanted.ndim == 2 else worst.mean() < 6, f"{name}: frame {index}: {worst.mean()}")
            made += 1
        some = Image.open(io.BytesIO(shown(f"{path}/frames/1,{count}/rendered", "image/gif").content))
        check(some.n_frames == 2, f"{name}: two frames are {some.n_frames}")
        tag = answer.headers["ETag"]
        again = session.get(path + "/rendered", headers={"Accept": "image/gif", "If-None-Match": tag})
        check(again.status_code == 304, f"{name}: again {again.status_code}")
    still = Image.open(io.BytesIO(shown(store(phantoms["ct-01.dcm"]) + "/rendered", "image/gif").content))
    check(getattr(still, "n_frames", 1) == 1, "one frame moves")
    return made


def overlay(dataset, group, mask, origin=(1, 1), **more):
    """Adds an overlay; `mask` has a plane, or several of a multi-frame one."""
    planes = mask if mask.ndim == 3 else mask[None]
    dataset.add_new((group, 0x0010), "US", planes.shape[1])
    dataset.add_new((group, 0x0011), "US", planes.shape[2])
    if mask.ndim == 3:
        dataset.add_new((group, 0x0015), "IS", planes.shape[0])
    dataset.add_new((group, 0x0040), "CS", "G")
    dataset.add_new((group, 0x0050), "SS", list(origin))
    if "frame" in more:
        dataset.add_new((group, 0x0051), "US", more["frame"])
    dataset.add_new((group, 0x0100), "US", 1)
    dataset.add_new((group, 0x0102), "US", 0)
    data = numpy.packbits(planes.reshape(-1), bitorder="little").tobytes()
    data += b"\0" * (len(data) % 2)
    dataset.add_new((group, 0x3000), "OW", more.get("data", data))


def drawn():
    base = variant(phantoms["ct-explicit-little.dcm"])
    rows, columns = base.Rows, base.Columns
    plain = pixels(shown(store(variant(base)) + "/rendered"))
    made = 0

    def compare(what, dataset, mask, query=""):
        nonlocal made
        found = pixels(shown(store(dataset) + "/rendered", query=query))
        wanted = numpy.where(mask, 255, plain)
        check((found == wanted).all(), f"{what}: {(found != wanted).sum()} pixels differ")
        made += 1

    whole = random.integers(0, 2, (rows, columns), dtype="u1")
    one = variant(base)
    overlay(one, 0x6000, whole)
    compare("a plane over the whole", one, whole)
    small = random.integers(0, 2, (21, 13), dtype="u1")
    for origin in ((5, 9), (-3, -5), (rows - 4, columns - 6), (rows + 1, 1)):
        two = variant(base)
        overlay(two, 0x601E, small, origin)
        mask = numpy.zeros((rows, columns), "u1")
        for row in range(21):
            for column in range(13):
                y, x = origin[0] - 1 + row, origin[1] - 1 + column
                if 0 <= y < rows and 0 <= x < columns:
                    mask[y, x] = small[row, column]
        compare(f"a small plane at {origin}", two, mask)
    both = variant(base)
    overlay(both, 0x6000, whole)
    other = random.integers(0, 2, (rows, columns), dtype="u1")
    overlay(both, 0x6002, other)
    compare("two planes", both, whole | other)
    coded = variant(both)
    coded.compress(RLELossless, generate_instance_uid=False)
    compare("on coded pixels", coded, whole | other)
    # Twelve bits are stored, the thirteenth is an overlay's.
    values = numpy.frombuffer(base.PixelData, "<u2").reshape(rows, columns) & 0xFFF
    unsigned = variant(base, BitsStored=12, HighBit=11, PixelRepresentation=0, PixelData=values.tobytes())
    plain = pixels(shown(store(unsigned) + "/rendered"))
    within = variant(unsigned, PixelData=(values | whole.astype("<u2") << 12).astype("<u2").tobytes())
    within.add_new((0x6000, 0x0010), "US", rows)
    within.add_new((0x6000, 0x0011), "US", columns)
    within.add_new((0x6000, 0x0040), "CS", "G")
    within.add_new((0x6000, 0x0050), "SS", [1, 1])
    within.add_new((0x6000, 0x0100), "US", 16)
    within.add_new((0x6000, 0x0102), "US", 12)
    compare("bits of the samples", within, whole)
    within = variant(within)
    within[0x6000, 0x0102].value = 3
    # Bit 12 is still set in the samples, and counts for nothing.
    compare("bits that are the image's own", within, numpy.zeros((rows, columns), "u1"))
    for what, data in (("nothing", b""), ("too little", b"\xff\xff")):
        short = variant(unsigned)
        overlay(short, 0x6000, whole, data=data)
        compare(f"a plane with {what} in it", short, numpy.zeros((rows, columns), "u1"))
    # One plane for each frame, from the second on.
    cine = phantoms["xa-cine.dcm"]
    if not cine.file_meta.TransferSyntaxUID.is_compressed:
        many = variant(cine)
        planes = random.integers(0, 2, (3, cine.Rows, cine.Columns), dtype="u1")
        overlay(many, 0x6000, planes, frame=2)
        path, bare = store(many), store(variant(cine))
        for frame in range(1, 6):
            mask = planes[frame - 2] if 2 <= frame <= 4 else numpy.zeros_like(planes[0])
            found = pixels(shown(f"{path}/frames/{frame}/rendered"))
            wanted = numpy.where(mask, 255, pixels(shown(f"{bare}/frames/{frame}/rendered")))
            check((found == wanted).all(), f"frame {frame} of a cine: {(found != wanted).sum()} pixels differ")
            made += 1
    color = variant(phantoms["sc-rgb-interleaved.dcm"])
    bare = pixels(shown(store(variant(color)) + "/rendered"))
    mask = random.integers(0, 2, bare.shape[:2], dtype="u1")
    overlay(color, 0x6000, mask)
    found = pixels(shown(store(color) + "/rendered"))
    check((found == numpy.where(mask[..., None], 255, bare)).all(), "an overlay on colours")
    return made + 1


# Primaries and white as x and y, and what undoes the curve. IEC 61966-2-1, Adobe RGB (1998), SMPTE EG 432-1.
D65 = (0.3127, 0.3290)
SPACES = {
    "srgb": (((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), None),
    "adobergb": (((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), 563 / 256),
    "displayp3": (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), None),
}


def matrix(name):
    primaries = SPACES[name][0]
    columns = numpy.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white = numpy.array([D65[0] / D65[1], 1, (1 - D65[0] - D65[1]) / D65[1]])
    return columns * numpy.linalg.solve(columns, white)


def linear(values):
    values = values / 255
    return numpy.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def curved(values, gamma):
    values = numpy.clip(values, 0, 1)
    if gamma:
        return values ** (1 / gamma) * 255
    return numpy.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055) * 255


def converted():
    made = 0
    color = variant(phantoms["sc-rgb-interleaved.dcm"])
    noise = random.integers(0, 256, (color.Rows, color.Columns, 3), dtype="u1")
    color.PixelData = noise.tobytes()
    color.PixelData += b"\0" * (len(color.PixelData) % 2)
    path = store(color) + "/rendered"
    for name, (_, gamma) in SPACES.items():
        answer = shown(path, query="?iccprofile=" + name)
        light = linear(noise.astype("f8")) @ matrix("srgb").T @ numpy.linalg.inv(matrix(name)).T
        worst = numpy.abs(pixels(answer).astype("f8") - curved(light, gamma))
        check(worst.max() < 2.5 and worst.mean() < 0.6, f"{name}: {worst.max()}, {worst.mean()}")
        image = Image.open(io.BytesIO(answer.content))
        profile = image.info.get("icc_profile", b"")
        check(len(profile) > 128, f"{name}: the picture does not say so")
        # A picture that is made again is the same, under the same entity tag.
        check(struct.unpack(">6H", profile[24:36]) == (2000, 1, 1, 0, 0, 0), f"{name}: made at {profile[24:36].hex()}")
        photo = Image.open(io.BytesIO(shown(path, "image/jpeg", f"?iccprofile={name}").content))
        check(photo.info.get("icc_profile") == image.info.get("icc_profile"), f"{name}: the photo says another thing")
        made += 2
    wide = pixels(shown(path, query="?iccprofile=rommrgb")).astype("f8")
    # A larger space holds the same colours nearer to each other.
    check(wide.std() < noise.std() and wide.std() > 20, "rommrgb")
    # What says of itself that it is Adobe RGB, brought to sRGB and back to what it was.
    adobe = Image.open(io.BytesIO(shown(path, query="?iccprofile=adobergb").content)).info["icc_profile"]
    said = variant(color, ICCProfile=adobe + b"\0" * (len(adobe) % 2))
    same = pixels(shown(store(said) + "/rendered", query="?iccprofile=adobergb")).astype("i4")
    check(numpy.abs(same - noise).max() <= 1, "from Adobe RGB to Adobe RGB")
    grey = store(variant(phantoms["ct-explicit-little.dcm"])) + "/rendered"
    check((pixels(shown(grey, query="?iccprofile=srgb")) == pixels(shown(grey))).all(), "grey changes")
    broken = {"noise": random.bytes(4000), "cut": adobe[:200], "tags behind its end": adobe[:132] + b"\xff" * 300}
    for what, profile in broken.items():
        bad = store(variant(color, ICCProfile=profile)) + "/rendered"
        shown(bad, query="?iccprofile=srgb", status=500)
        check(pixels(shown(bad)).shape == noise.shape, f"{what} as a profile spoils the picture")
    return made + 5


counts = {"moving": moving(), "drawn": drawn(), "converted": converted()}
dicomweb.report(**counts)
