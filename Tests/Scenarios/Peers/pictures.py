"""Has a service make pictures of images, and compares them with pydicom and numpy doing the same.

pictures.py PORT FOLDER    the token is in HUIZHEN_WEB_TOKEN; the last line is a JSON report
"""
import copy
import io
import re
import struct
import sys
import zlib

import libjpeg
import numpy
import pydicom
import requests
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_color_lut, convert_color_space
from pydicom.uid import (ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit,
                         JPEGLSLossless, RLELossless, generate_uid)

import dicomweb
from dicomweb import check, problems, root, server, session
from multiparts import parts

counts = {"pictures": 0, "made": 0, "refused": 0, "parts": 0, "worst": 0}


def png(data):
    """The pixels of a PNG of 8 bits, grey or RGB."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    offset, body, chunks = 8, b"", []
    while offset < len(data):
        length, = struct.unpack(">I", data[offset:offset + 4])
        kind = data[offset + 4:offset + 8]
        chunk = data[offset + 8:offset + 8 + length]
        assert zlib.crc32(kind + chunk) == struct.unpack(">I", data[offset + 8 + length:offset + 12 + length])[0]
        chunks.append(kind)
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", chunk[:10])
            assert depth == 8 and color in (0, 2)
        elif kind == b"IDAT":
            body += chunk
        offset += 12 + length
    samples = 3 if color == 2 else 1
    rows = numpy.frombuffer(zlib.decompress(body), "u1").reshape(height, 1 + width * samples)
    result = numpy.zeros((height, width * samples), "u1")
    above = numpy.zeros(width * samples, "u1")
    for index, row in enumerate(rows):
        assert row[0] in (0, 2), "another filter"
        above = row[1:] + above if row[0] == 2 else row[1:]
        result[index] = above
    png.chunks = chunks
    return result.reshape((height, width, 3) if samples == 3 else (height, width))


def jpeg(data):
    pixels = libjpeg.decode(data)
    return convert_color_space(pixels, "YBR_FULL", "RGB") if pixels.ndim == 3 else pixels


def address(dataset):
    return (f"{root}/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
            f"/instances/{dataset.SOPInstanceUID}")


def store(dataset):
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    answer = session.post(root + "/studies", data=stream.getvalue(), headers={"Content-Type": "application/dicom"})
    check(answer.status_code == 200, f"store: {answer.status_code} {answer.text[:200]}")


def table(item):
    count, first, bits = item.LUTDescriptor
    data = item.LUTData
    data = numpy.frombuffer(data, "<u2") if isinstance(data, bytes) else numpy.array(data)
    return data[:count or 65536].astype("f8"), first, bits


def group(dataset, frame, name):
    for items in [dataset.get("PerFrameFunctionalGroupsSequence", [])[frame:frame + 1],
                  dataset.get("SharedFunctionalGroupsSequence", [])[:1]]:
        for item in items:
            if name in item:
                return item[name][0]
    return dataset


def number(item, name):
    value = item.get(name)
    if value is None or value == "":
        return None
    return float(value[0] if isinstance(value, (list, pydicom.multival.MultiValue)) else value)


def shades(values, center, width, shape):
    if shape == "LINEAR":
        low, high = center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2
        with numpy.errstate(divide="ignore", invalid="ignore"):
            between = (values - (center - 0.5)) / (width - 1) + 0.5
        return numpy.where(values <= low, 0, numpy.where(values > high, 1, between))
    if shape == "LINEAR_EXACT":
        return numpy.clip((values - center) / width + 0.5, 0, 1)
    return 1 / (1 + numpy.exp(-4 * (values - center) / width))


def decoded(dataset):
    if dataset.file_meta.TransferSyntaxUID != "1.2.840.10008.1.2.1.98":
        return dataset.pixel_array
    # pydicom does not read native frames that are encapsulated.
    plain = copy.deepcopy(dataset)
    number_of_frames = int(dataset.get("NumberOfFrames", 1) or 1)
    plain.PixelData = b"".join(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=number_of_frames))
    plain["PixelData"].is_undefined_length = False
    plain.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return plain.pixel_array


def expected(dataset, frame=0, window=None):
    """The picture in its own size, as floating-point numbers from 0 to 255."""
    pixels = decoded(dataset)
    if int(dataset.get("NumberOfFrames", 1) or 1) > 1:
        pixels = pixels[frame]
    kind = dataset.PhotometricInterpretation
    if kind == "PALETTE COLOR":
        colors = apply_color_lut(pixels, dataset)
        return colors.astype("f8") if colors.dtype == numpy.uint8 else (colors >> 8).astype("f8")
    if dataset.SamplesPerPixel == 3:
        return pixels.astype("f8") * 255 / (2 ** dataset.BitsStored - 1)
    stored = pixels.astype("f8")
    if "ModalityLUTSequence" in dataset:
        entries, first, _ = table(dataset.ModalityLUTSequence[0])
        values = entries[numpy.clip(stored - first, 0, len(entries) - 1).astype(int)]
    else:
        item = group(dataset, frame, "PixelValueTransformationSequence")
        values = stored * (number(item, "RescaleSlope") or 1) + (number(item, "RescaleIntercept") or 0)
    voi = group(dataset, frame, "FrameVOILUTSequence")
    if window:
        result = shades(values, *window)
    elif "VOILUTSequence" in dataset:
        entries, first, bits = table(dataset.VOILUTSequence[0])
        result = entries[numpy.clip(values - first, 0, len(entries) - 1).astype(int)] / (2 ** bits - 1)
    elif number(voi, "WindowCenter") is not None:
        result = shades(values, number(voi, "WindowCenter"), number(voi, "WindowWidth"),
                        voi.get("VOILUTFunction", "LINEAR"))
    elif dataset.BitsAllocated == 1:
        result = values
    else:
        shown = values
        if "PixelPaddingValue" in dataset:
            shown = values[stored != dataset.PixelPaddingValue]
        low, high = shown.min(), shown.max()
        result = (values - low) / (high - low) if high > low else values * 0
    if kind == "MONOCHROME1" or dataset.get("PresentationLUTShape") == "INVERSE":
        result = 1 - result
    return numpy.clip(result, 0, 1) * 255


def compare(name, got, wanted, within=1.01):
    if got.shape != wanted.shape:
        problems.append(f"{name}: {got.shape}, not {wanted.shape}")
        return
    worst = float(numpy.abs(got.astype("f8") - wanted).max())
    counts["worst"] = max(counts["worst"], worst)
    check(worst <= within, f"{name}: differs by {worst:.2f}")


def picture(name, dataset, query="", frame=None, window=None, within=1.01, wanted=None):
    path = address(dataset) + (f"/frames/{frame + 1}" if frame is not None else "") + "/rendered" + query
    answer = session.get(path, headers={"Accept": "image/png"})
    if answer.status_code != 200 or answer.headers.get("Content-Type") != "image/png":
        problems.append(f"{name}: {answer.status_code} {answer.text[:120]}")
        return
    check("Content-Location" in answer.headers and "private" in answer.headers["Cache-Control"], f"{name}: fields")
    wanted = expected(dataset, frame or 0, window) if wanted is None else wanted
    compare(name, png(answer.content), wanted, within)
    counts["pictures"] += 1


def refused(name, path, status, accept="image/png"):
    answer = session.get(path, headers={"Accept": accept})
    allowed = status if isinstance(status, tuple) else (status,)
    check(answer.status_code in allowed, f"{name}: {answer.status_code}, not {status}")
    check(answer.headers.get("Content-Type") == "application/problem+json", f"{name}: no problem document")
    counts["refused"] += 1


# Every phantom, as its frames say it.
phantoms = {}
for name, data in dicomweb.files(sys.argv[2]).items():
    answer = session.post(root + "/studies", data=data, headers={"Content-Type": "application/dicom"})
    check(answer.status_code == 200, f"{name}: store {answer.status_code}")
    phantoms[name] = pydicom.dcmread(io.BytesIO(data))
for name, dataset in phantoms.items():
    if "PixelData" not in dataset or dataset.file_meta.TransferSyntaxUID.is_deflated:
        refused(name, address(dataset) + "/rendered", 406)
        continue
    number_of_frames = int(dataset.get("NumberOfFrames", 1) or 1)
    # Two decoders of JPEG with a DCT, and their ways from YCbCr, differ by a little more.
    within = 6 if dataset.file_meta.TransferSyntaxUID == JPEGBaseline8Bit else 1.01
    for frame in sorted({0, number_of_frames // 2, number_of_frames - 1}):
        picture(name, dataset, frame=frame, within=within)
    answer = session.get(address(dataset) + "/rendered")
    check(answer.headers.get("Content-Type") == "image/jpeg", f"{name}: no JPEG by default")
    got = jpeg(answer.content)
    wanted = expected(dataset, int(re.search(r"/frames/(\d+)/", answer.headers["Content-Location"])[1]) - 1)
    check(got.shape == wanted.shape and numpy.abs(got - wanted).mean() < 4, f"{name}: the JPEG is another picture")
    if number_of_frames > 1:
        answer = session.get(address(dataset) + "/rendered", headers={"Accept": 'multipart/related; type="image/png"'})
        found = parts(answer)
        check(len(found) == number_of_frames, f"{name}: {len(found)} parts of {number_of_frames}")
        for frame in (0, number_of_frames - 1):
            compare(f"{name} part {frame + 1}", png(found[frame][1]), expected(dataset, frame), within)
            check(f"/frames/{frame + 1}/rendered" in found[frame][0], f"{name}: another place of part {frame + 1}")
        counts["parts"] += len(found)

# What is asked of one picture.
ct = phantoms["ct-01.dcm"]
for shape, function in [("linear", "LINEAR"), ("linear-exact", "LINEAR_EXACT"), ("sigmoid", "SIGMOID")]:
    for center, width in [(40, 400), (-600, 1500), (30.5, 1), (0, 0.5), (100, 2), (1e9, 5)]:
        if shape == "linear" and width < 1:
            refused(f"window {shape} {width}", f"{address(ct)}/rendered?window={center},{width},{shape}", 400)
            continue
        with numpy.errstate(over="ignore"):
            picture(f"window {shape} {center} {width}", ct, f"?window={center},{width},{shape}",
                    window=(center, width, function))
whole = expected(ct)
rows, columns = whole.shape


def averaged(image, height, width):
    """Means over areas, however they are cut."""
    def weights(size, count):
        edges = numpy.linspace(0, size, count + 1)
        result = numpy.zeros((count, size))
        for index in range(count):
            for place in range(int(edges[index]), int(numpy.ceil(edges[index + 1] - 1e-9))):
                result[index, place] = min(edges[index + 1], place + 1) - max(edges[index], place)
        return result / result.sum(axis=1, keepdims=True)
    return weights(image.shape[0], height) @ image @ weights(image.shape[1], width).T


def between(image, height, width):
    """Between the centres of pixels."""
    def weights(size, count):
        result = numpy.zeros((count, size))
        for index in range(count):
            place = min(max((index + 0.5) * size / count - 0.5, 0), size - 1)
            low = int(place)
            result[index, low] += 1 - (place - low)
            if place > low:
                result[index, low + 1] += place - low
        return result
    return weights(image.shape[0], height) @ image @ weights(image.shape[1], width).T


half = columns // 2
picture("region", ct, f"?viewport={half},{half},3,5,{half},{half}", wanted=whole[5:5 + half, 3:3 + half])
picture("region mirrored", ct, f"?viewport={half},{half},3,5,-{half},-{half}",
        wanted=whole[5:5 + half, 3:3 + half][::-1, ::-1])
picture("rows mirrored", ct, f"?viewport={columns},{rows},,,,-{rows}", wanted=whole[::-1])
picture("columns mirrored", ct, f"?viewport={columns},{rows},,,-{columns},", wanted=whole[:, ::-1])
picture("smaller", ct, f"?viewport={half - 7},{rows}", within=1.6, wanted=averaged(whole, half - 7, half - 7))
picture("one pixel", ct, "?viewport=1,1", within=1.6, wanted=averaged(whole, 1, 1))
picture("larger", ct, f"?viewport={columns * 3},{rows * 3 - 1}", within=1.6,
        wanted=between(whole, rows * 3 - 1, columns * 3 - 1))
rgb = phantoms["sc-rgb-interleaved.dcm"]
color = expected(rgb)
picture("color mirrored", rgb, f"?viewport={color.shape[1]},{color.shape[0]},,,-{color.shape[1]},", wanted=color[:, ::-1])
small = numpy.stack([averaged(color[..., sample], color.shape[0] // 3, color.shape[1] // 3) for sample in range(3)], -1)
if color.shape[0] % 3 == color.shape[1] % 3 == 0:
    picture("color smaller", rgb, f"?viewport={color.shape[1] // 3},8192", within=1.6, wanted=small)
low, high = (len(session.get(f"{address(ct)}/rendered?quality={quality}").content) for quality in (10, 95))
check(low < high / 2, f"quality makes no difference: {low} and {high} bytes")


def variant(base, **attributes):
    result = copy.deepcopy(base)
    result.SOPInstanceUID = result.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    for name, value in attributes.items():
        if value is None:
            if name in result:
                delattr(result, name)
        else:
            setattr(result, name, value)
    return result


def made(name, dataset, **options):
    store(dataset)
    picture(name, dataset, **options)
    counts["made"] += 1


def grey(pixels, **attributes):
    """An image of one's own, without a window unless one is given."""
    plain = dict(
        Rows=pixels.shape[0], Columns=pixels.shape[1], PixelData=pixels.tobytes() + b"\0" * (pixels.nbytes % 2),
        BitsAllocated=pixels.itemsize * 8, BitsStored=pixels.itemsize * 8, HighBit=pixels.itemsize * 8 - 1,
        PixelRepresentation=int(pixels.dtype.kind == "i"), WindowCenter=None, WindowWidth=None, RescaleSlope=None,
        RescaleIntercept=None, RescaleType=None, SmallestImagePixelValue=None, LargestImagePixelValue=None,
        PixelPaddingValue=None, PixelSpacing=[1, 1], VOILUTFunction=None, WindowCenterWidthExplanation=None)
    result = variant(explicit, **(plain | attributes))
    result["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    return result


def lut(values, first, bits, signed=False):
    item = pydicom.Dataset()
    item.add_new(0x00283002, "SS" if signed else "US", [len(values) % 65536, first, bits])
    item.add_new(0x00283006, "OW", numpy.array(values, "<u2").tobytes())
    return item


explicit = phantoms["ct-explicit-little.dcm"]
check(explicit.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian, "the phantom is another")
random = numpy.random.default_rng(7)
ramp16 = numpy.linspace(0, 65535, 61 * 47).reshape(61, 47).astype("<u2")
for dtype in ("u1", "i1", "<u2", "<i2", "<u4", "<i4"):
    info = numpy.iinfo(dtype)
    values = random.integers(info.min, info.max, (33, 57), endpoint=True).astype(dtype)
    made(f"{dtype} without a window", grey(values))
    made(f"{dtype} with a window", grey(values, WindowCenter=[info.max // 3, 5], WindowWidth=[info.max // 2, 7]))
made("12 bits of 16, signed", grey(random.integers(-2048, 2047, (40, 41)).astype("<i2") & 0x0FFF, BitsStored=12,
                                   HighBit=11, PixelRepresentation=1, RescaleSlope="0.5", RescaleIntercept="-24.25"))
made("the same everywhere", grey(numpy.full((9, 9), 77, "<u2")))
made("MONOCHROME1", grey(ramp16, PhotometricInterpretation="MONOCHROME1", WindowCenter=20000, WindowWidth=30000))
made("presentation inverse", grey(ramp16, PresentationLUTShape="INVERSE"))
made("sigmoid of its own", grey(ramp16, VOILUTFunction="SIGMOID", WindowCenter=30000, WindowWidth=9000))
made("exact of its own", grey(ramp16, VOILUTFunction="LINEAR_EXACT", WindowCenter=30000, WindowWidth=9000))
padded = ramp16.copy()
padded[:10] = 65535
made("padding", grey(padded // 2, PixelPaddingValue=32767))
made("modality table", grey(ramp16 >> 8, ModalityLUTSequence=[lut(numpy.arange(200) ** 2, 20, 16)]))
made("table of interest", grey(ramp16 >> 4, RescaleIntercept="-1000", RescaleSlope="1", VOILUTSequence=[
    lut(numpy.sqrt(numpy.arange(3000)) * 74, -500, 12, signed=True)]))
made("full table of interest", grey(ramp16, VOILUTSequence=[lut(numpy.arange(65536)[::-1] // 2 * 2, 0, 16)]))
for name, dtype in (("FloatPixelData", "<f4"), ("DoubleFloatPixelData", "<f8")):
    values = random.normal(3, 10, (21, 22)).astype(dtype)
    floating = variant(grey(numpy.zeros((21, 22), "<u4")), PixelData=None, BitsStored=None, HighBit=None,
                       PixelRepresentation=None, BitsAllocated=values.itemsize * 8)
    setattr(floating, name, values.tobytes())
    store(floating)
    wanted = (values.astype("f8") - values.min()) / (values.max() - values.min()) * 255
    picture(name, floating, wanted=wanted)
tall = grey(ramp16, PixelSpacing=[2, 1])
store(tall)
picture("tall pixels", tall, wanted=expected(tall))
answer = session.get(address(tall) + "/rendered?viewport=47,8192", headers={"Accept": "image/png"})
check(png(answer.content).shape == (122, 47), f"tall pixels: {png(answer.content).shape}")
answer = session.get(address(tall) + "/rendered?viewport=1000,61", headers={"Accept": "image/png"})
check(png(answer.content).shape == (61, 24), f"tall pixels: {png(answer.content).shape}")
for name, red in (("palette of 16 bits", numpy.arange(256) * 257), ("palette of 8 bits in 16", numpy.arange(256))):
    data = {color: red[::step].repeat(abs(step))[:256].astype("<u2") for color, step in
            (("Red", 1), ("Green", -1), ("Blue", 2))}
    palette = grey((ramp16 >> 8).astype("u1"), PhotometricInterpretation="PALETTE COLOR")
    for color_name, entries in data.items():
        descriptor = f"{color_name}PaletteColorLookupTableDescriptor"
        setattr(palette, descriptor, [256, 0, 16 if red[-1] > 255 else 8])
        palette[descriptor].VR = "US"
        setattr(palette, f"{color_name}PaletteColorLookupTableData", entries.tobytes())
    made(name, palette, wanted=numpy.stack([
        (data[one] >> (8 if red[-1] > 255 else 0))[ramp16 >> 8].astype("f8") for one in ("Red", "Green", "Blue")], -1))
explicit_rgb = rgb if not rgb.file_meta.TransferSyntaxUID.is_compressed else None
if explicit_rgb is not None:
    pixels = explicit_rgb.pixel_array
    ybr = convert_color_space(pixels, "RGB", "YBR_FULL")
    full = variant(explicit_rgb, PhotometricInterpretation="YBR_FULL", PixelData=ybr.tobytes())
    made("YBR_FULL", full, within=2.01)
    flat = ybr[:, :ybr.shape[1] // 2 * 2].reshape(ybr.shape[0], -1, 2, 3)
    halved = numpy.stack([flat[..., 0, 0], flat[..., 1, 0], flat[..., 0, 1], flat[..., 0, 2]], -1)
    subsampled = variant(explicit_rgb, PhotometricInterpretation="YBR_FULL_422", PixelData=halved.tobytes(),
                         Columns=flat.shape[1] * 2)
    repeated = flat.copy()
    repeated[..., 1, 1:] = flat[..., 0, 1:]
    made("YBR_FULL_422", subsampled, within=2.01, wanted=convert_color_space(
        repeated.reshape(ybr.shape[0], -1, 3), "YBR_FULL", "RGB").astype("f8"))
    wide = variant(explicit_rgb, BitsAllocated=16, BitsStored=16, HighBit=15, PixelData=(
        pixels.astype("<u2") * 257).tobytes())
    wide["PixelData"].VR = "OW"
    made("RGB of 16 bits", wide)
    profiled = variant(explicit_rgb, ICCProfile=phantoms["vl-face.dcm"].ICCProfile)
    store(profiled)
    for accept, marker in (("image/png", b"iCCP"), ("image/jpeg", b"ICC_PROFILE\0")):
        path = address(profiled) + "/rendered"
        check(marker in session.get(path + "?iccprofile=yes", headers={"Accept": accept}).content, "no profile")
        check(marker not in session.get(path + "?iccprofile=no", headers={"Accept": accept}).content, "a profile")
big = phantoms["ct-explicit-big.dcm"]
check(big.file_meta.TransferSyntaxUID == ExplicitVRBigEndian, "the phantom is another")
for syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
    for base in [grey((ramp16 >> 4).astype("<u2"), BitsStored=12, HighBit=11)] + [explicit_rgb] * (explicit_rgb is not None):
        coded = variant(base)
        coded.compress(syntax, generate_instance_uid=False)
        made(f"{syntax.name} {coded.PhotometricInterpretation}", coded, within=1.01)

# Several at once, and what stands for all.
study = ct.StudyInstanceUID
series = ct.SeriesInstanceUID
of_series = [d for d in phantoms.values() if d.SeriesInstanceUID == series]
for path, accept, kind in [
        (f"/studies/{study}/rendered", "*/*", "image/jpeg"), (f"/studies/{study}/thumbnail", "image/*", "image/jpeg"),
        (f"/studies/{study}/series/{series}/rendered", "image/png;q=0.5, image/jpeg;q=0.1", "image/png"),
        (f"/studies/{study}/series/{series}/thumbnail", "image/avif, image/png", "image/png"),
        (f"/studies/{study}/series/{series}/thumbnail?accept=image/png", "image/jpeg", "image/png"),
        (f"/studies/{study}/series/{series}/instances/{ct.SOPInstanceUID}/thumbnail", "", "image/jpeg"),
        (f"/studies/{study}/series/{series}/instances/{ct.SOPInstanceUID}/frames/1/thumbnail?viewport=50,90", "", "image/jpeg")]:
    answer = session.get(root + path, headers={"Accept": accept})
    name = path.split("/")[-1] + " " + accept
    check(answer.status_code == 200 and answer.headers["Content-Type"] == kind, f"{name}: {answer.status_code}")
    if answer.status_code != 200:
        continue
    shown = png(answer.content) if kind == "image/png" else jpeg(answer.content)
    if "thumbnail" in path:
        check(max(shown.shape[:2]) == (50 if "viewport" in path else 128), f"{name}: {shown.shape}")
    check(answer.headers["Content-Location"].startswith(f"{root}/studies/{study}/series/"), f"{name}: its place")
    again = session.get(answer.headers["Content-Location"], headers={"Accept": kind})
    check("thumbnail" in path or again.content == answer.content, f"{name}: another picture where it is said to be")
    same = session.get(root + path, headers={"Accept": accept, "If-None-Match": answer.headers["ETag"]})
    check(same.status_code == 304 and not same.content, f"{name}: {same.status_code}, not 304")
    other = session.get(root + path, headers={"Accept": accept, "If-None-Match": '"other"'})
    check(other.status_code == 200 and other.headers["ETag"] == answer.headers["ETag"], f"{name}: another tag")
middle = session.get(f"{root}/studies/{study}/series/{series}/rendered").headers["Content-Location"]
order = sorted(of_series, key=lambda d: int(d.InstanceNumber))
check(order[(len(order) - 1) // 2].SOPInstanceUID in middle, "the middle image does not stand for the series")
found = parts(session.get(f"{root}/studies/{study}/series/{series}/rendered?quality=50",
                          headers={"Accept": 'multipart/related; type="image/jpeg"'}))
check(len(found) == len(of_series), f"{len(found)} pictures of {len(of_series)} images")
cine = phantoms["us-cine.dcm"]
frames = parts(session.get(address(cine) + "/frames/3,1-2/rendered"))
check(len(frames) == 3 and "/frames/3/" in frames[0][0] and "/frames/1/" in frames[1][0], "the frames of a list")
listed = session.get(address(cine) + "/frames/2,1/rendered", headers={"Accept": 'multipart/related; type="image/png"'})
compare("a list of frames", png(parts(listed)[1][1]), expected(cine, 0), 6)

# The URI service.
wado = server + "/wado"
names = {"requestType": "WADO", "studyUID": study, "seriesUID": series, "objectUID": ct.SOPInstanceUID}
answer = session.get(wado, params=names | {"contentType": "image/png", "windowCenter": "40", "windowWidth": "400"})
check(answer.status_code == 200, f"wado: {answer.status_code} {answer.text[:100]}")
compare("wado", png(answer.content), expected(ct, 0, (40, 400, "LINEAR")))
answer = session.get(wado, params=names | {"contentType": "image/png", "region": "0.25,0.5,0.75,1", "columns": half})
compare("wado region", png(answer.content), whole[rows // 2:, columns // 4:columns // 4 + half])
answer = session.get(wado, params=names | {"rows": "40", "imageQuality": "70"})
check(answer.headers["Content-Type"] == "image/jpeg" and jpeg(answer.content).shape[0] == 40, "wado rows")
answer = session.get(wado, params=names | {"contentType": "application/dicom"})
check(pydicom.dcmread(io.BytesIO(answer.content)).SOPInstanceUID == ct.SOPInstanceUID, "wado object")
answer = session.get(wado, params=names | {"contentType": "application/dicom", "transferSyntax": RLELossless})
check(pydicom.dcmread(io.BytesIO(answer.content)).file_meta.TransferSyntaxUID == RLELossless, "wado transfer syntax")
of_cine = {"requestType": "WADO", "studyUID": cine.StudyInstanceUID, "seriesUID": cine.SeriesInstanceUID,
           "objectUID": cine.SOPInstanceUID, "contentType": "image/png"}
compare("wado frame", png(session.get(wado, params=of_cine | {"frameNumber": "2"}).content), expected(cine, 1), 6)
for change, status in [
        ({"requestType": "QIDO"}, 400), ({"requestType": None}, 400), ({"objectUID": "x"}, 400), ({"studyUID": None}, 400),
        ({"objectUID": "1.2.3"}, 404), ({"studyUID": "1.2.3"}, 404), ({"frameNumber": "2"}, 404), ({"frameNumber": "0"}, 400),
        ({"rows": "0"}, 400), ({"rows": "8193"}, 400), ({"columns": "x"}, 400), ({"region": "0,0,1"}, 400),
        ({"region": "0.5,0,0.5,1"}, 400), ({"region": "0,0,1,1.1"}, 400), ({"region": "nan,0,1,1"}, 400),
        ({"windowCenter": "1"}, 400), ({"windowCenter": "1", "windowWidth": "0"}, 400), ({"imageQuality": "101"}, 400),
        ({"anonymize": "yes"}, 403), ({"anonymize": "no"}, 400), ({"annotation": "name"}, 400), ({"other": "1"}, 400),
        ({"presentationUID": "1.2"}, 501), ({"contentType": "text/html"}, 406), ({"contentType": "x"}, 400),
        ({"transferSyntax": RLELossless}, 400), ({"contentType": "application/dicom", "rows": "5"}, 400),
        ({"contentType": "application/dicom", "transferSyntax": "1.2.3"}, 406)]:
    answer = session.get(wado, params={k: v for k, v in (names | change).items() if v is not None})
    check(answer.status_code == status, f"wado {change}: {answer.status_code}, not {status}")
    check(answer.headers.get("Content-Type") == "application/problem+json", f"wado {change}: no problem document")
    counts["refused"] += 1
check(requests.get(wado, params=names).status_code == 401, "wado without a token")

# What is malformed, or cannot be had.
for query, status in [
        ("viewport=", 400), ("viewport=1", 400), ("viewport=0,1", 400), ("viewport=8193,1", 400), ("viewport=1,8193", 400),
        ("viewport=-1,1", 400), ("viewport=1,1,1", 400), ("viewport=1,1,0,0,0,1", 400), (f"viewport=9,9,0,0,{columns + 1},1", 400),
        (f"viewport=9,9,{columns},0,1,1", 400), ("viewport=9,9,-1,0,1,1", 400), ("viewport=9,9,nan,0,1,1", 400),
        ("viewport=9,9,1e99,0,1,1", 400), ("window=1", 400), ("window=1,2,3", 400), ("window=nan,1,linear", 400),
        ("window=1,inf,linear", 400), ("window=1,-1,sigmoid", 400), ("window=1,0.9,linear", 400), ("window=1,0,linear-exact", 400),
        ("quality=0", 400), ("quality=101", 400), ("quality=x", 400), ("quality=5&quality=6", 400), ("nonsense=1", 400),
        ("annotation=x", 400), ("annotation=", 400), ("annotation=patient,", 400),
        ("iccprofile=maybe", 400), ("iccprofile=yes", 406), ("accept=text/html", 406), ("accept=%%", 400), ("accept=image/bmp", 406)]:
    refused(query, f"{address(ct)}/rendered?{query}", status)
for accept in ("text/html", "image/bmp", "video/mpeg", "application/dicom", 'multipart/related; type="image/bmp"',
               "image/png;q=0"):
    refused(accept, f"{address(ct)}/rendered", 406, accept)
refused("frame 0", f"{address(ct)}/frames/0/rendered", 400)
refused("frame 2 of 1", f"{address(ct)}/frames/2/rendered", 404)
refused("frames as one", f"{address(cine)}/frames/1,2/rendered", 406, "image/jpeg")
refused("another study", f"{root}/studies/1.2.3/rendered", 404)
refused("another series", f"{root}/studies/{study}/series/1.2.3/thumbnail", 404)
refused("a window on a thumbnail", f"{address(ct)}/thumbnail?window=1,2,linear", 400)
refused("a region on a thumbnail", f"{address(ct)}/thumbnail?viewport=9,9,0,0,1,1", 400)
refused("a report's study", f"{root}/studies/{phantoms['ecg-12-lead.dcm'].StudyInstanceUID}"
        f"/series/{phantoms['ecg-12-lead.dcm'].SeriesInstanceUID}/rendered", 406)

# Objects that mean no good: each costs its own request.
stream = grey((ramp16 >> 4).astype("<u2"), BitsStored=12, HighBit=11)
stream.compress(JPEG2000Lossless, generate_instance_uid=False)
good = bytes(next(pydicom.encaps.generate_frames(stream.PixelData, number_of_frames=1)))
claims = bytearray(good)
claims[8:16] = struct.pack(">II", 65535, 65535)
hostile = {
    "cut": variant(stream, PixelData=encapsulate([good[:len(good) // 3]])),
    "noise": variant(stream, PixelData=encapsulate([bytes(random.integers(0, 256, 4000, dtype="u1"))])),
    "empty": variant(stream, PixelData=encapsulate([b"\0\0"])),
    "claims": variant(stream, PixelData=encapsulate([bytes(claims)])),
    "huge": variant(stream, Rows=65535, Columns=65535),
    "rows": variant(stream, Rows=0),
    "bits": variant(stream, BitsStored=99),
    "samples": variant(stream, SamplesPerPixel=7),
    "color": variant(stream, PhotometricInterpretation="HSV", SamplesPerPixel=3),
    "table": grey(ramp16, VOILUTSequence=[pydicom.Dataset()]),
    "short table": grey(ramp16, ModalityLUTSequence=[lut([1, 2, 3], 0, 16)]),
    "palette": grey(ramp16, PhotometricInterpretation="PALETTE COLOR"),
    "window": grey(ramp16, WindowCenter="1e308", WindowWidth="1e308"),
    "slope": grey(ramp16, RescaleSlope="1e308", RescaleIntercept="-1e308"),
}
hostile["short table"].ModalityLUTSequence[0].LUTDescriptor = [60000, 0, 16]
for name, dataset in hostile.items():
    store(dataset)
    answer = session.get(address(dataset) + "/rendered")
    if name in ("window", "slope"):
        check(answer.status_code == 200, f"{name}: {answer.status_code}")
    else:
        check(answer.status_code in (406, 500), f"{name}: {answer.status_code}")
        check(answer.headers.get("Content-Type") == "application/problem+json", f"{name}: no problem document")
        counts["refused"] += 1
    again = session.get(address(ct) + "/rendered")
    check(again.status_code == 200, f"after {name}: {again.status_code}")

dicomweb.report(**counts)
