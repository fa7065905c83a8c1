// One picture as a GIF of one image. GIF89a.
#include <gif_lib.h>

#include <cstdlib>

#include "picture.h"

namespace huizhen::codecs {

namespace {

struct GIFOutput {
    Room room;
    size_t count;
    bool isFull;
};

int writeGIF(GifFileType *file, const GifByteType *bytes, int count) {
    GIFOutput *output = static_cast<GIFOutput *>(file->UserData);
    if (size_t(count) > output->room.count - output->count) {
        output->isFull = true;
        return 0;
    }
    std::memcpy(output->room.start + output->count, bytes, size_t(count));
    output->count += size_t(count);
    return count;
}

/// Frees what the library made, however the scope ends.
struct ColorMap {
    ColorMapObject *map;
    ColorMap() : map(GifMakeMapObject(256, nullptr)) {
        if (!map) outOfMemory();
    }
    ~ColorMap() { GifFreeMapObject(map); }
    ColorMap(const ColorMap &) = delete;
    ColorMap &operator=(const ColorMap &) = delete;
};

struct GIFFile {
    GifFileType *file;
    explicit GIFFile(GIFOutput &output) : file(EGifOpen(&output, writeGIF, nullptr)) {
        if (!file) outOfMemory();
    }
    ~GIFFile() {
        if (file) EGifCloseFile(file, nullptr);
    }
    /// Writes the end; false if it did not fit.
    bool close() {
        GifFileType *closing = file;
        file = nullptr;
        return EGifCloseFile(closing, nullptr) == GIF_OK;
    }
    GIFFile(const GIFFile &) = delete;
    GIFFile &operator=(const GIFFile &) = delete;
};

/// An entry of `map` for each pixel.
std::vector<uint8_t> indexed(const Picture &picture, ColorMapObject &map) {
    const size_t count = size_t(picture.width) * picture.height;
    std::vector<uint8_t> result(count);
    if (picture.samples == 1) {
        for (int shade = 0; shade < 256; shade++) {
            const GifByteType level = GifByteType(shade);
            map.Colors[shade] = GifColorType{level, level, level};
        }
        for (uint32_t row = 0; row < picture.height; row++) {
            std::memcpy(result.data() + size_t(row) * picture.width, picture.start + row * picture.stride, picture.width);
        }
        return result;
    }
    std::vector<uint8_t> planes[3] = {
        std::vector<uint8_t>(count), std::vector<uint8_t>(count), std::vector<uint8_t>(count)};
    for (uint32_t row = 0; row < picture.height; row++) {
        const uint8_t *from = picture.start + row * picture.stride;
        for (uint32_t column = 0; column < picture.width; column++) {
            for (auto &plane : planes) plane[size_t(row) * picture.width + column] = *from++;
        }
    }
    int colors = 256;
    const int made = GifQuantizeBuffer(
        picture.width, picture.height, &colors, planes[0].data(), planes[1].data(), planes[2].data(), result.data(),
        map.Colors);
    if (made != GIF_OK) outOfMemory();
    return result;
}

}  // namespace

size_t encodeGIFPicture(const Picture &picture, Room room) {
    ColorMap colors;
    std::vector<uint8_t> pixels = indexed(picture, *colors.map);
    GIFOutput output{room, 0, false};
    bool isWritten;
    {
        GIFFile gif(output);
        EGifSetGifVersion(gif.file, true);
        const int width = int(picture.width);
        isWritten = EGifPutScreenDesc(gif.file, width, int(picture.height), 8, 0, colors.map) == GIF_OK
            && EGifPutImageDesc(gif.file, 0, 0, width, int(picture.height), false, nullptr) == GIF_OK;
        for (uint32_t row = 0; isWritten && row < picture.height; row++) {
            isWritten = EGifPutLine(gif.file, pixels.data() + size_t(row) * picture.width, width) == GIF_OK;
        }
        isWritten = gif.close() && isWritten;
    }
    if (!isWritten) throw Failure{output.isFull ? HZCodecStatusNoRoom : HZCodecStatusOutOfMemory};
    return output.count;
}

}  // namespace huizhen::codecs
