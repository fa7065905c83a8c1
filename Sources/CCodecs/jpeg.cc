// JPEG with a DCT and 8 bits: libjpeg-turbo, compiled as C and left by longjmp on errors.
#include "colour.h"
#include "jpeg_errors.h"
#include "jpeg_header.h"
#include "jpeg_lossless.h"
#include "jpeg_twelve.h"

namespace huizhen::codecs {

namespace {

void leave(j_common_ptr library) {
    JPEGErrors *errors = reinterpret_cast<JPEGErrors *>(library->err);
    errors->status = errors->manager.msg_code == JERR_OUT_OF_MEMORY ? HZCodecStatusOutOfMemory : HZCodecStatusMalformed;
    std::longjmp(errors->exit, 1);
}

void beSilent(j_common_ptr) {}

/// Damage the library would paint over in grey ends the decoding; oddities do not.
void judge(j_common_ptr library, int level) {
    if (level >= 0) return;
    switch (library->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION: {
        JPEGErrors *errors = reinterpret_cast<JPEGErrors *>(library->err);
        errors->status = HZCodecStatusMalformed;
        std::longjmp(errors->exit, 1);
    }
    default: break;
    }
}

/// Each scan of a progressive stream costs a pass over the image, however short it is.
void countScans(j_common_ptr library) {
    if (!library->is_decompressor) return;
    if (reinterpret_cast<j_decompress_ptr>(library)->input_scan_number > HZ_SCAN_COUNT_LIMIT) {
        JPEGErrors *errors = reinterpret_cast<JPEGErrors *>(library->err);
        errors->status = HZCodecStatusUnsupported;
        std::longjmp(errors->exit, 1);
    }
}

}  // namespace

void prepare(JPEGErrors &errors) {
    jpeg_std_error(&errors.manager);
    errors.manager.error_exit = leave;
    errors.manager.output_message = beSilent;
    errors.manager.emit_message = judge;
    errors.status = HZCodecStatusOK;
}

namespace {

/// Decodes into rows of `rowByteCount`. The components come out as they are unless both colours are given.
HZCodecStatus decodeRows(
    Bytes stream, J_COLOR_SPACE from, J_COLOR_SPACE to, size_t rowByteCount, size_t rows, uint8_t *output) {
    jpeg_decompress_struct library;
    JPEGErrors errors;
    jpeg_progress_mgr progress{};
    library.err = &errors.manager;
    prepare(errors);
    progress.progress_monitor = countScans;
    if (setjmp(errors.exit)) {
        jpeg_destroy_decompress(&library);
        return errors.status;
    }
    jpeg_create_decompress(&library);
    library.progress = &progress;
    jpeg_mem_src(&library, stream.start, stream.count);
    jpeg_read_header(&library, TRUE);
    library.jpeg_color_space = from;
    library.out_color_space = to;
    jpeg_start_decompress(&library);
    // What was read from the header before must be what the library reads.
    if (library.output_height != rows || size_t(library.output_width) * library.output_components != rowByteCount) {
        errors.status = HZCodecStatusDiffers;
        std::longjmp(errors.exit, 1);
    }
    while (library.output_scanline < library.output_height) {
        JSAMPROW row = output + library.output_scanline * rowByteCount;
        jpeg_read_scanlines(&library, &row, 1);
    }
    jpeg_destroy_decompress(&library);
    return HZCodecStatusOK;
}

HZColour decodeEightBits(const Format &format, const JPEGHeader &header, Bytes stream, bool wantsRGB, uint8_t *output) {
    HZColour colour = header.colour();
    if (colour == HZColourOther && header.components == 3) {
        colour = format.colour == HZColourRGB || format.colour == HZColourOther ? format.colour : HZColourYBRFull;
    }
    J_COLOR_SPACE from = JCS_UNKNOWN;
    J_COLOR_SPACE to = JCS_UNKNOWN;
    if (header.components == 1) {
        from = to = JCS_GRAYSCALE;
    } else if (header.components == 3) {
        // YCbCr to YCbCr upsamples and converts nothing.
        from = to = JCS_YCbCr;
        if (colour == HZColourYBRFull && wantsRGB) {
            to = JCS_RGB;
            colour = HZColourRGB;
        }
    }
    std::vector<uint8_t> narrow;
    uint8_t *target = output;
    if (format.bitsAllocated != 8) {
        narrow.resize(format.sampleCount());
        target = narrow.data();
    }
    const HZCodecStatus status = decodeRows(stream, from, to, format.rowSampleCount(), format.rows, target);
    if (status != HZCodecStatusOK) throw Failure{status};
    for (size_t index = 0; index < narrow.size(); index++) {
        store16(output + 2 * index, extended(narrow[index], 8, format.isSigned));
    }
    return header.components == 3 ? colour : format.colour;
}

struct Compression {
    jpeg_compress_struct library;
    JPEGErrors errors;
};

HZCodecStatus encodeRows(
    const Format &native, J_COLOR_SPACE from, J_COLOR_SPACE to, bool halvesChroma, int quality, const uint8_t *frame,
    Room room, size_t *written) {
    Compression compression;
    jpeg_compress_struct &library = compression.library;
    library.err = &compression.errors.manager;
    prepare(compression.errors);
    // The library writes into this room, or into memory of its own when that is too small.
    unsigned char *buffer = room.start;
    unsigned long count = room.count;
    if (setjmp(compression.errors.exit)) {
        jpeg_destroy_compress(&library);
        if (buffer != room.start) std::free(buffer);
        return compression.errors.status;
    }
    jpeg_create_compress(&library);
    jpeg_mem_dest(&library, &buffer, &count);
    library.image_width = native.columns;
    library.image_height = native.rows;
    library.input_components = native.samples;
    library.in_color_space = from;
    jpeg_set_defaults(&library);
    jpeg_set_colorspace(&library, to);
    jpeg_set_quality(&library, quality, TRUE);
    library.optimize_coding = TRUE;
    for (int index = 0; index < library.num_components; index++) {
        library.comp_info[index].h_samp_factor = index == 0 && halvesChroma ? 2 : 1;
        library.comp_info[index].v_samp_factor = 1;
    }
    library.write_JFIF_header = to == JCS_RGB ? FALSE : library.write_JFIF_header;
    library.write_Adobe_marker = to == JCS_RGB ? TRUE : library.write_Adobe_marker;
    jpeg_start_compress(&library, TRUE);
    while (library.next_scanline < library.image_height) {
        JSAMPROW row = const_cast<JSAMPROW>(frame + library.next_scanline * native.rowSampleCount());
        jpeg_write_scanlines(&library, &row, 1);
    }
    jpeg_finish_compress(&library);
    jpeg_destroy_compress(&library);
    const bool fits = buffer == room.start;
    if (!fits) std::free(buffer);
    *written = count;
    return fits ? HZCodecStatusOK : HZCodecStatusNoRoom;
}

}  // namespace

HZColour decodeJPEG(const Format &format, Bytes stream, bool wantsRGB, uint8_t *output) {
    const JPEGHeader header = JPEGHeader::read(stream);
    format.require(header.rows, header.columns, header.components, header.precision);
    if (format.bitsAllocated > 16) unsupported();
    if (header.isLossless()) {
        decodeLossless(format, header, stream, output);
        const HZColour said = header.adobeTransform >= 0 ? header.colour() : HZColourOther;
        return said == HZColourOther ? format.colour : said;
    }
    if (header.precision == 8) return decodeEightBits(format, header, stream, wantsRGB, output);
    if (header.precision != 12) unsupported();
    decodeTwelveBits(format, header, stream, output);
    return format.colour;
}

size_t encodeJPEG(const Format &native, HZColour streamColour, const HZEncoding &encoding, Bytes frame, Room room) {
    if (native.isSigned || encoding.quality < 1 || encoding.quality > 100) unsupported();
    if (native.bitsStored > 8) {
        if (native.samples != 1) unsupported();
        return encodeTwelveBits(native, encoding.quality, frame, room);
    }
    const std::vector<uint8_t> clean = cleanSamples(native, frame);
    J_COLOR_SPACE from = JCS_UNKNOWN;
    J_COLOR_SPACE to = JCS_UNKNOWN;
    if (native.samples == 1) {
        from = to = JCS_GRAYSCALE;
    } else if (native.samples == 3) {
        from = native.colour == HZColourYBRFull ? JCS_YCbCr : JCS_RGB;
        to = streamColour == HZColourRGB ? JCS_RGB : JCS_YCbCr;
        if (from == JCS_YCbCr && to == JCS_RGB) unsupported();
        if (native.colour == HZColourOther) unsupported();
    } else {
        unsupported();
    }
    size_t written = 0;
    const HZCodecStatus status = encodeRows(
        native, from, to, streamColour == HZColourYBRFull422, encoding.quality, clean.data(), room, &written);
    if (status != HZCodecStatusOK) throw Failure{status};
    return written;
}

}  // namespace huizhen::codecs
