#include "picture.h"

#include <csetjmp>

#include <png.h>

#include "jpeg_errors.h"

namespace huizhen::codecs {

namespace {

/// What lives across libjpeg's longjmp: nothing of it has a destructor.
struct Compression {
    jpeg_compress_struct library;
    JPEGErrors errors;
};

HZCodecStatus encodeRows(
    Compression &compression, const Picture &picture, int quality, Bytes profile, Room room, size_t *written) {
    jpeg_compress_struct &library = compression.library;
    library.err = &compression.errors.manager;
    prepare(compression.errors);
    // The library writes into this room, or into memory of its own when that is too small.
    unsigned char *volatile start = room.start;
    unsigned char *buffer = room.start;
    unsigned long count = room.count;
    if (setjmp(compression.errors.exit)) {
        jpeg_destroy_compress(&library);
        if (buffer != start) std::free(buffer);
        return compression.errors.status;
    }
    jpeg_create_compress(&library);
    jpeg_mem_dest(&library, &buffer, &count);
    library.image_width = picture.width;
    library.image_height = picture.height;
    library.input_components = int(picture.samples);
    library.in_color_space = picture.samples == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&library);
    jpeg_set_quality(&library, quality, TRUE);
    if (picture.samples == 3 && quality >= 90) {
        // Fine colours are worth their bytes to whoever asks for quality.
        library.comp_info[0].h_samp_factor = library.comp_info[0].v_samp_factor = 1;
    }
    jpeg_start_compress(&library, TRUE);
    if (profile.count > 0) jpeg_write_icc_profile(&library, profile.start, unsigned(profile.count));
    while (library.next_scanline < library.image_height) {
        JSAMPROW rows[16];
        JDIMENSION height = 0;
        while (height < 16 && library.next_scanline + height < library.image_height) {
            rows[height] = const_cast<JSAMPROW>(picture.start + (library.next_scanline + height) * picture.stride);
            height++;
        }
        jpeg_write_scanlines(&library, rows, height);
    }
    jpeg_finish_compress(&library);
    jpeg_destroy_compress(&library);
    const bool fits = buffer == start;
    if (!fits) std::free(buffer);
    *written = count;
    return fits ? HZCodecStatusOK : HZCodecStatusNoRoom;
}

/// Where libpng writes, and how it ended.
struct PNGOutput {
    Room room;
    size_t count;
    HZCodecStatus status;
};

void writePNG(png_structp library, png_bytep bytes, size_t count) {
    PNGOutput *output = static_cast<PNGOutput *>(png_get_io_ptr(library));
    if (count > output->room.count - output->count) {
        output->status = HZCodecStatusNoRoom;
        png_longjmp(library, 1);
    }
    std::memcpy(output->room.start + output->count, bytes, count);
    output->count += count;
}

void flushPNG(png_structp) {}

void failPNG(png_structp library, png_const_charp) { png_longjmp(library, 1); }

void ignorePNG(png_structp, png_const_charp) {}

HZCodecStatus encodeRows(png_structp library, png_infop info, const Picture &picture, Bytes profile, PNGOutput &output) {
    if (setjmp(png_jmpbuf(library))) return output.status;
    png_set_write_fn(library, &output, writePNG, flushPNG);
    png_set_IHDR(
        library, info, picture.width, picture.height, 8, picture.samples == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
        PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    // Fast, and a tenth larger than the best.
    png_set_compression_level(library, 3);
    png_set_filter(library, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
    if (profile.count > 0) {
        png_set_iCCP(library, info, "ICC", PNG_COMPRESSION_TYPE_BASE, profile.start, png_uint_32(profile.count));
    }
    png_write_info(library, info);
    for (uint32_t row = 0; row < picture.height; row++) {
        png_write_row(library, const_cast<png_bytep>(picture.start + row * picture.stride));
    }
    png_write_end(library, nullptr);
    return HZCodecStatusOK;
}

}  // namespace

size_t encodeJPEGPicture(const Picture &picture, int quality, Bytes profile, Room room) {
    Compression compression;
    size_t written = 0;
    const HZCodecStatus status = encodeRows(compression, picture, quality, profile, room, &written);
    if (status != HZCodecStatusOK) throw Failure{status};
    return written;
}

size_t encodePNGPicture(const Picture &picture, Bytes profile, Room room) {
    PNGOutput output{room, 0, HZCodecStatusMalformed};
    png_structp library = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, failPNG, ignorePNG);
    if (!library) outOfMemory();
    png_infop info = png_create_info_struct(library);
    const HZCodecStatus status =
        info ? encodeRows(library, info, picture, profile, output) : HZCodecStatusOutOfMemory;
    png_destroy_write_struct(&library, &info);
    if (status != HZCodecStatusOK) throw Failure{status};
    return output.count;
}

}  // namespace huizhen::codecs
