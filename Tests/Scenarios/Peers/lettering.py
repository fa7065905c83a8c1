"""How much what is written in a picture looks like a text, as Pillow writes it."""
import numpy
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"


def size_of(shape):
    """The letters' size of a picture in which everything has room."""
    return min(max(min(shape[:2]) // 40, 10), 192)


def template(text, size):
    """Letter by letter, each where the ones before it end by the font's own measure."""
    font, large = ImageFont.truetype(FONT, size), ImageFont.truetype(FONT, 2048)
    image = Image.new("L", (size * (len(text) + 2), size * 2))
    draw = ImageDraw.Draw(image)
    pen = float(size)
    for letter in text:
        draw.text((int(pen + 0.5), size // 4), letter, fill=255, font=font)
        pen += large.getlength(letter) * size / 2048
    return numpy.asarray(image.crop(image.getbbox())).astype("f8")


def likeness(picture, text):
    """From -1 to 1: the best correlation of the text with any place of the grey picture."""
    form = template(text, size_of(picture.shape))
    grey = picture.astype("f8") if picture.ndim == 2 else picture.astype("f8").mean(axis=2)
    rows, columns = form.shape
    if rows > grey.shape[0] or columns > grey.shape[1]:
        return -1.0
    # Every place at once: sums over windows by running totals, the product by Fourier.
    form = form - form.mean()
    product = numpy.fft.irfft2(numpy.fft.rfft2(grey) * numpy.conj(numpy.fft.rfft2(form, grey.shape)), grey.shape)
    product = product[:grey.shape[0] - rows + 1, :grey.shape[1] - columns + 1]

    def windows(values):
        total = numpy.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        return total[rows:, columns:] - total[:-rows, columns:] - total[rows:, :-columns] + total[:-rows, :-columns]

    count = rows * columns
    spread = windows(grey ** 2) - windows(grey) ** 2 / count
    return float((product / numpy.sqrt(numpy.maximum(spread, 1) * (form ** 2).sum())).max())
