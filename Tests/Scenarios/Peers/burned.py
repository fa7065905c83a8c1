"""Radiographs of nobody with Chinese letters across what is dark and bright in them, and how much of these is left.

burned.py make FOLDER: a file for each picture, NAME.dcm, and its letters' ink, NAME.ink.
burned.py left ORIGINAL INK RESULT: pixels of ink, how many of them are as they were, and the share of the picture that changed.
"""

import sys

import numpy
import pydicom
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from pydicom.dataset import FileDataset, FileMetaDataset

SIDE = 512
FONT = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
WORDS = ((0.05, 0.10, "姓名：张伟 第一人民医院"), (0.20, 0.45, "患者 欧阳文静 女 45岁"), (0.10, 0.80, "王小明 2015年12月01日"))
# What lies behind, how letters are drawn, and their height.
KINDS = [("gradient", "bright", size) for size in (14, 18, 24)]
KINDS += [("gradient", "dark", size) for size in (24, 32)]
KINDS += [("gradient", "edged", size) for size in (18, 24, 32)]
KINDS += [("anatomy", style, size) for style in ("bright", "edged") for size in (18, 24)]


def behind(name):
    rows, columns = numpy.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
    grain = numpy.random.RandomState(7).normal(0, 3, (SIDE, SIDE))
    if name == "gradient":
        return numpy.clip(columns * 255 + grain, 0, 255)
    body = (columns - 0.5) ** 2 / 0.2 + (rows - 0.5) ** 2 / 0.16 < 1
    shades = numpy.where(body, 110, 0)
    for side in (0.3, 0.7):
        shades[(columns - side) ** 2 / 0.02 + (rows - 0.45) ** 2 / 0.04 < 1] = 30
    for rib in range(8):
        shades[(abs(rows - 0.15 - 0.09 * rib) < 0.012) & body] = 200
    shades[(columns - 0.5) ** 2 / 0.004 + (rows - 0.7) ** 2 / 0.004 < 1] = 230
    soft = Image.fromarray(shades.astype("uint8")).filter(ImageFilter.GaussianBlur(2.5))
    return numpy.clip(numpy.asarray(soft, dtype=float) + grain, 0, 255)


def covered(size, edge):
    mask = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(mask)
    font = ImageFont.truetype(FONT, size)
    for left, top, text in WORDS:
        draw.text((left * SIDE, top * SIDE), text, font=font, fill=255, stroke_width=edge, stroke_fill=255)
    return numpy.asarray(mask, dtype=float) / 255


def picture(ground, style, size):
    """The picture, and where its ink is; letters never have the shade of what they stand on."""
    shades, ink = behind(ground), covered(size, 0)
    if style == "bright":
        shades = shades * 0.86 * (1 - ink) + 255 * ink
    elif style == "dark":
        # Not as dark as what blanks it.
        shades = (shades * 0.86 + 36) * (1 - ink) + 4 * ink
    else:
        shades = shades * (1 - covered(size, 1)) * (1 - ink) + 255 * ink
    return shades.astype("uint8"), ink > 0.5


def write(path, shades, number):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    data = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.Modality, data.ConversionType = meta.MediaStorageSOPClassUID, "OT", "WSD"
    uid = "1.2.826.0.1.3680043.9.91"
    data.StudyInstanceUID, data.SeriesInstanceUID = uid + ".1", uid + ".2"
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = f"{uid}.3.{number}"
    data.PatientName, data.PatientID = "Zhang^Wei", "7700771"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = SIDE, SIDE, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PixelData = shades.tobytes()
    data.save_as(path)


if sys.argv[1] == "make":
    for number, (ground, style, size) in enumerate(KINDS, 1):
        shades, ink = picture(ground, style, size)
        name = f"{sys.argv[2]}/{ground}-{style}-{size}"
        write(name + ".dcm", shades, number)
        with open(name + ".ink", "wb") as file:
            file.write(ink.astype("uint8").tobytes())
else:
    before, after = (pydicom.dcmread(path).pixel_array for path in (sys.argv[2], sys.argv[4]))
    ink = numpy.fromfile(sys.argv[3], dtype="uint8").reshape(before.shape) > 0
    print(ink.sum(), (ink & (before == after)).sum(), (before != after).mean())
