"""Videos of images, decoded by FFmpeg and compared with the pictures of the same frames.

movies.py PORT FOLDER PROCESS    the token is in HUIZHEN_WEB_TOKEN; PROCESS is the service; the last line is a JSON report
"""
import copy
import io
import os
import signal
import sys

import av
import numpy
import pydicom
import requests
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid

import dicomweb
from dicomweb import check, root, session

service = int(sys.argv[3])
phantoms = {name: pydicom.dcmread(io.BytesIO(data)) for name, data in dicomweb.files(sys.argv[2]).items()}
numbers = numpy.random.default_rng(11)
sizes = {}
differences = {}


def store(dataset):
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    answer = session.post(root + "/studies", data=stream.getvalue(), headers={"Content-Type": "application/dicom"})
    check(answer.status_code == 200, f"store: {answer.status_code} {answer.text[:200]}")
    return (f"{root}/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
            f"/instances/{dataset.SOPInstanceUID}")


def grey(frames, **more):
    """An image of such frames of 8 bits that are shown as they are."""
    result = copy.deepcopy(phantoms["xa-cine.dcm"])
    result.SOPInstanceUID = generate_uid(None)
    result.file_meta.MediaStorageSOPInstanceUID = result.SOPInstanceUID
    result.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    result.NumberOfFrames, result.Rows, result.Columns = frames.shape
    result.BitsAllocated = result.BitsStored = 8
    result.HighBit = 7
    result.PixelRepresentation = 0
    result.PhotometricInterpretation = "MONOCHROME2"
    result.WindowCenter, result.WindowWidth = 128, 256
    for name in ("VOILUTSequence", "ModalityLUTSequence", "RepresentativeFrameNumber", "FrameTimeVector"):
        if name in result:
            delattr(result, name)
    result.PixelData = frames.astype("u1").tobytes() + b"\0" * (frames.size % 2)
    result["PixelData"].VR = "OB"
    for name, value in more.items():
        setattr(result, name, value)
    return result


def shown(path, accept="video/mp4", query="", status=200, **more):
    answer = session.get(path + query, headers={"Accept": accept}, **more)
    check(answer.status_code == status, f"{accept} {query}: {answer.status_code}, not {status}")
    if answer.status_code == 200 and accept in ("video/mp4", "image/png", "image/gif"):
        check(answer.headers["Content-Type"] == accept, f"{accept}: {answer.headers['Content-Type']}")
    return answer


def picture(path, query=""):
    return numpy.array(Image.open(io.BytesIO(shown(path, "image/png", query).content))).astype("f8")


class Movie:
    """A video as FFmpeg reads it: planes of its pictures, times in seconds."""

    def __init__(self, data):
        self.planes, self.times, self.keys, self.durations = [], [], [], []
        with av.open(io.BytesIO(data)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            self.length = container.duration / av.time_base if container.duration else 0
            self.description = (context.name, stream.profile, context.pix_fmt)
            for packet in container.demux(stream):
                if packet.size:
                    self.keys.append(packet.is_keyframe)
                    self.durations.append(float(packet.duration * packet.time_base))
                for frame in packet.decode():
                    self.width, self.height = frame.width, frame.height
                    self.planes.append(frame.to_ndarray(format="yuv420p"))
                    self.times.append(frame.time)
            self.colours = (context.color_range, context.colorspace, context.color_primaries, context.color_trc)

    def grey(self, index):
        return (self.planes[index][:self.height].astype("f8") - 16) * 255 / 219

    def shades(self, wanted):
        """Whether the pictures are of one shade each, and of these."""
        return len(self.planes) == len(wanted) and all(
            numpy.abs(self.grey(index) - shade).max() < 1.5 for index, shade in enumerate(wanted))

    def is_neutral(self):
        return all((planes[self.height:] == 128).all() for planes in self.planes)

    def colour(self, index):
        """ITU-R BT.709 in the limited range."""
        planes = self.planes[index]
        chroma = planes[self.height:].reshape(-1).astype("f8") - 128
        count = self.width * self.height // 4
        blue, red = (chroma[start:start + count].reshape(self.height // 2, self.width // 2).repeat(2, 0).repeat(2, 1)
                     * 255 / 224 for start in (0, count))
        bright = self.grey(index)
        r, b = bright + 1.5748 * red, bright + 1.8556 * blue
        g = (bright - 0.2126 * r - 0.0722 * b) / 0.7152
        return numpy.clip(numpy.stack([r, g, b], -1), 0, 255)


def compare(what, movie, index, wanted, bound):
    found = movie.grey(index) if wanted.ndim == 2 else movie.colour(index)
    difference = numpy.abs(found[:wanted.shape[0], :wanted.shape[1]] - wanted).mean()
    check(difference < bound, f"{what}: frame {index} differs by {difference:.2f}")
    differences[what] = max(differences.get(what, 0), round(float(difference), 3))
    if wanted.ndim == 2:
        check(movie.is_neutral(), f"{what}: grey has a colour")


def cines():
    made = 0
    for name in ("us-cine.dcm", "xa-cine.dcm", "sc-multiframe.dcm"):
        dataset = phantoms[name]
        path = store(dataset)
        count = int(dataset.NumberOfFrames)
        answer = shown(path + "/rendered")
        movie = Movie(answer.content)
        check(movie.description == ("h264", "Constrained Baseline", "yuv420p"), f"{name}: {movie.description}")
        check(movie.colours == (1, 1, 1, 13), f"{name}: colours {movie.colours}")
        check(len(movie.planes) == count, f"{name}: {len(movie.planes)} of {count} frames")
        seconds = float(dataset.get("FrameTime", 100)) / 1000
        if "CineRate" in dataset:
            seconds = 1 / dataset.CineRate
        if "RecommendedDisplayFrameRate" in dataset:
            seconds = 1 / dataset.RecommendedDisplayFrameRate
        for index, time in enumerate(movie.times):
            check(abs(time - index * seconds) < 0.0001 * (index + 1), f"{name}: frame {index} at {time}")
        check(abs(movie.length - count * seconds) < 0.01, f"{name}: {movie.length} seconds")
        for index in (0, count // 2, count - 1):
            wanted = picture(f"{path}/frames/{index + 1}/rendered")
            check((movie.height, movie.width) == wanted.shape[:2], f"{name}: {movie.width} by {movie.height}")
            compare(name, movie, index, wanted, 2 if wanted.ndim == 2 else 4)
            made += 1
        sizes[name] = [len(shown(path + "/rendered", "image/gif").content), len(answer.content)]
        some = Movie(shown(f"{path}/frames/3,1-2/rendered").content)
        check(len(some.planes) == 3, f"{name}: a list is {len(some.planes)} frames")
        for index, frame in enumerate((3, 1, 2)):
            compare(name + " list", some, index, picture(f"{path}/frames/{frame}/rendered"), 4)
        query = "?viewport=90,77&window=100,150"
        small = Movie(shown(path + "/rendered", query=query).content)
        wanted = picture(f"{path}/frames/2/rendered", query)
        check((small.height - wanted.shape[0], small.width - wanted.shape[1]) == (wanted.shape[0] % 2, wanted.shape[1] % 2),
              f"{name}: {small.width} by {small.height} of {wanted.shape}")
        compare(name + " small", small, 1, wanted, 6)
        coarse, fine = (shown(path + "/rendered", query=f"?quality={quality}").content for quality in (10, 100))
        check(len(coarse) < len(answer.content) < len(fine), f"{name}: quality is none")
        again = session.get(path + "/rendered", headers={"Accept": "video/mp4", "If-None-Match": answer.headers["ETag"]})
        check(again.status_code == 304, f"{name}: again {again.status_code}")
        head = session.head(path + "/rendered", headers={"Accept": "video/mp4"})
        check((head.status_code, head.headers["Content-Type"]) == (200, "video/mp4") and not head.content, f"{name}: HEAD")
        check(shown(path + "/rendered").content == answer.content, f"{name}: is another the second time")
        made += 3
    return made


def shapes():
    made = 0
    rows, columns = numpy.mgrid[0:33, 0:57]
    slope = numpy.stack([(rows * 3 + columns * 2 + frame * 9) % 256 for frame in range(3)])
    path = store(grey(slope))
    data = shown(path + "/rendered").content
    movie = Movie(data)
    check((movie.height, movie.width) == (34, 58), f"odd: {movie.width} by {movie.height}")
    check(b"clap" in data and b"clap" not in shown(path + "/rendered", query="?viewport=56,56").content, "clean aperture")
    for index in range(3):
        compare("odd", movie, index, slope[index], 2)
        # What is not of the image is what is beside it.
        check(numpy.abs(movie.grey(index)[:33, 57] - movie.grey(index)[:33, 56]).max() < 40, "another colour at the edge")
    for side, wanted in (((1, 1), (16, 16)), ((5, 3), (16, 16)), ((17, 16), (18, 16))):
        tiny = Movie(shown(store(grey(numpy.full((2, *side), 77))) + "/rendered").content)
        check((tiny.height, tiny.width) == wanted, f"{side}: {tiny.height}, {tiny.width}")
        compare("tiny", tiny, 1, numpy.full(side, 77.0), 1.5)
        made += 1
    for shade, level in ((0, 16), (255, 235)):
        flat = Movie(shown(store(grey(numpy.full((2, 48, 64), shade))) + "/rendered").content)
        check(all((planes[:48] == level).all() for planes in flat.planes) and flat.is_neutral(), f"{shade} is not {level}")
    still = Movie(shown(store(phantoms["ct-01.dcm"]) + "/rendered").content)
    check(len(still.planes) == 1, "one frame is several")
    compare("one frame", still, 0, picture(store(phantoms["ct-01.dcm"]) + "/rendered"), 2)
    # More than a group, of one picture size; each frame has a brightness of its own.
    many = numpy.repeat(numpy.arange(67) * 3 + 20, 64 * 48).reshape(67, 64, 48)
    movie = Movie(shown(store(grey(many, FrameTime="40", CineRate=None)) + "/rendered").content)
    check(movie.shades([frame.flat[0] for frame in many]), f"frames out of order: {len(movie.planes)}")
    check([index for index, key in enumerate(movie.keys) if key] == [0, 30, 60], "groups begin elsewhere")
    # Groups of one picture each: neighbours that stand for themselves.
    large = numpy.stack([numpy.full((2900, 3000), 30 + 40 * frame) for frame in range(3)])
    answer = shown(store(grey(large)) + "/rendered")
    movie = Movie(answer.content)
    check(movie.keys == [True] * 3 and movie.shades([30, 70, 110]), f"large ones: {movie.keys}")
    # Grain that the encoder has no room for is made coarser, and is all there.
    grain = numbers.choice([0, 255], (3, 96, 128))
    movie = Movie(shown(store(grey(grain)) + "/rendered", query="?quality=100").content)
    check(len(movie.planes) == 3, "grain is too much")
    compare("grain", movie, 2, grain[2], 40)
    return made + 8


def choices():
    made = 0
    path = store(phantoms["sc-multiframe.dcm"])
    series, study = path.rsplit("/", 2)[0], path.rsplit("/", 4)[0]
    for at, accept, kind in [
            (path, "video/*", "video/mp4"), (path, "image/gif;q=0.5, video/mp4", "video/mp4"),
            (path, "video/mp4;q=0.2, image/gif", "image/gif"), (path, "*/*", "image/jpeg"),
            (path, 'video/mp4; codecs="avc1.42C029"', "video/mp4"), (path, 'video/mp4; codecs="hvc1.1", image/png', "image/png"),
            (series, "video/mp4, image/png;q=0.5", "image/png"), (study, "image/png;q=0.5, video/mp4", "image/png")]:
        answer = session.get(at + "/rendered", headers={"Accept": accept})
        check((answer.status_code, answer.headers["Content-Type"]) == (200, kind), f"{accept}: {answer.status_code}")
        made += 1
    for at, accept in [(series, "video/mp4"), (study, "video/mp4"), (path, 'video/mp4; codecs="hvc1.1"'),
                       (path, 'multipart/related; type="video/mp4"'), (path, "video/mpeg")]:
        answer = session.get(at + "/rendered", headers={"Accept": accept})
        check(answer.status_code == 406 and "video/mp4" in answer.json()["available"], f"{accept}: {answer.status_code}")
        made += 1
    words = {"requestType": "WADO", "studyUID": path.split("/")[-5], "seriesUID": path.split("/")[-3],
             "objectUID": path.split("/")[-1], "contentType": "video/mp4"}
    answer = session.get(dicomweb.server + "/wado", params=words)
    check(answer.headers["Content-Type"] == "video/mp4" and len(Movie(answer.content).planes) > 1, "URI service")
    answer = session.get(dicomweb.server + "/wado", params={**words, "frameNumber": 2})
    check(len(Movie(answer.content).planes) == 1, "URI service, one frame")
    huge = store(grey(numpy.zeros((1, 3100, 3100))))
    answer = shown(huge + "/rendered", status=406)
    check("viewport" in answer.json()["detail"], f"huge: {answer.json()['detail']}")
    check(Movie(shown(huge + "/rendered", query="?viewport=1000,1000").content).width == 1000, "huge in a viewport")
    shown(path + "/frames/99999/rendered", status=404)
    shown(path + "/rendered", query="?viewport=90,90,100000,0,1,1", status=400)
    return made + 6


def failures():
    frames = numpy.stack([numpy.full((32, 48), 50 * frame) for frame in range(5)])
    coded = grey(frames)
    coded.compress(RLELossless, generate_instance_uid=False)
    pieces = list(generate_frames(coded.PixelData, number_of_frames=5))
    pieces[1] = b"\xff" * 80
    coded.PixelData = encapsulate(pieces)
    movie = Movie(shown(store(coded) + "/rendered").content)
    check(movie.shades([0, 100, 150, 200]), "a broken frame")
    broken = copy.deepcopy(coded)
    broken.SOPInstanceUID = broken.file_meta.MediaStorageSOPInstanceUID = generate_uid(None)
    broken.PixelData = encapsulate([b"\xff" * 80] * 5)
    shown(store(broken) + "/rendered", status=500)
    # Frames with a table of their own that is cut short: neither the first nor another stops the others.
    groups = []
    for frame in range(5):
        group = pydicom.Dataset()
        if frame in (0, 3):
            table, item = pydicom.Dataset(), pydicom.Dataset()
            table.add_new("LUTDescriptor", "US", [256, 0, 16])
            table.add_new("LUTData", "OW", b"\0\0")
            item.VOILUTSequence = [table]
            group.FrameVOILUTSequence = [item]
        groups.append(group)
    movie = Movie(shown(store(grey(frames, PerFrameFunctionalGroupsSequence=groups)) + "/rendered").content)
    check(movie.shades([50, 100, 200]), f"broken tables: {len(movie.planes)}")
    long = store(grey(numbers.integers(0, 256, (500, 256, 256), dtype="u1")))
    answer = shown(long + "/rendered", stream=True)
    part = answer.raw.read(100_000)
    check(part[4:8] == b"ftyp", "no beginning")
    answer.close()
    whole = shown(path_of_short + "/rendered")
    check(len(Movie(whole.content).planes) == 3, "after a client that vanished")
    # Whoever reads on when a worker was killed finds the answer cut, and never a video that only seems whole.
    answer = shown(long + "/rendered", stream=True)
    read = len(answer.raw.read(100_000))
    killed = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat, open(f"/proc/{name}/cmdline") as line:
                if int(stat.read().rsplit(")", 1)[1].split()[1]) == service and "codec-worker" in line.read():
                    os.kill(int(name), signal.SIGKILL)
                    killed += 1
        except OSError:
            pass
    check(killed > 0, "no worker")
    try:
        for piece in answer.iter_content(1 << 20):
            read += len(piece)
        check(False, f"an answer of {read} bytes seems whole")
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError):
        pass
    # Each that was killed costs one answer at most.
    statuses = []
    while len(statuses) <= killed and 200 not in statuses:
        answer = session.get(path_of_short + "/rendered", headers={"Accept": "video/mp4"})
        statuses.append(answer.status_code)
    check(statuses[-1] == 200 and set(statuses[:-1]) <= {500}, f"after killed workers: {statuses}")
    check(len(Movie(answer.content).planes) == 3, "after a killed worker")
    return 6


path_of_short = store(grey(numpy.stack([numpy.full((40, 40), 60 * frame) for frame in range(3)])))
counts = {"cines": cines(), "shapes": shapes(), "choices": choices(), "failures": failures()}
dicomweb.report(**counts, sizes=sizes, differences=differences)
