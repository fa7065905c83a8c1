// JPEG 2000: OpenJPEG, in one thread. ISO 15444-1.
#include <algorithm>
#include <memory>

#include <openjpeg-2.5/openjpeg.h>

#include "htj2k.h"
#include "j2k_header.h"

namespace huizhen::codecs {

namespace {

void beSilent(const char *, void *) {}

struct CodecEnd {
    void operator()(opj_codec_t *codec) const { opj_destroy_codec(codec); }
};
struct StreamEnd {
    void operator()(opj_stream_t *stream) const { opj_stream_destroy(stream); }
};
struct ImageEnd {
    void operator()(opj_image_t *image) const { opj_image_destroy(image); }
};
using Codec = std::unique_ptr<opj_codec_t, CodecEnd>;
using Stream = std::unique_ptr<opj_stream_t, StreamEnd>;
using Image = std::unique_ptr<opj_image_t, ImageEnd>;

/// A stream of the library over memory.
struct Reading {
    Bytes bytes;
    size_t at = 0;

    static OPJ_SIZE_T read(void *buffer, OPJ_SIZE_T count, void *self) {
        Reading &reading = *static_cast<Reading *>(self);
        const size_t left = reading.bytes.count - reading.at;
        if (left == 0) return OPJ_SIZE_T(-1);
        const size_t taken = std::min<size_t>(left, count);
        std::memcpy(buffer, reading.bytes.start + reading.at, taken);
        reading.at += taken;
        return taken;
    }
    static OPJ_OFF_T skip(OPJ_OFF_T count, void *self) {
        Reading &reading = *static_cast<Reading *>(self);
        const int64_t to = int64_t(reading.at) + count;
        if (to < 0 || to > int64_t(reading.bytes.count)) {
            reading.at = to < 0 ? 0 : reading.bytes.count;
            return -1;
        }
        reading.at = size_t(to);
        return count;
    }
    static OPJ_BOOL seek(OPJ_OFF_T to, void *self) {
        Reading &reading = *static_cast<Reading *>(self);
        if (to < 0 || to > int64_t(reading.bytes.count)) return OPJ_FALSE;
        reading.at = size_t(to);
        return OPJ_TRUE;
    }
};

struct Writing {
    Room room;
    size_t at = 0;
    size_t count = 0;

    static OPJ_SIZE_T write(void *buffer, OPJ_SIZE_T count, void *self) {
        Writing &writing = *static_cast<Writing *>(self);
        if (writing.room.count - writing.at < count) return OPJ_SIZE_T(-1);
        std::memcpy(writing.room.start + writing.at, buffer, count);
        writing.at += count;
        writing.count = std::max(writing.count, writing.at);
        return count;
    }
    static OPJ_OFF_T skip(OPJ_OFF_T count, void *self) {
        Writing &writing = *static_cast<Writing *>(self);
        const int64_t to = int64_t(writing.at) + count;
        if (to < 0 || to > int64_t(writing.room.count)) return -1;
        writing.at = size_t(to);
        return count;
    }
    static OPJ_BOOL seek(OPJ_OFF_T to, void *self) {
        Writing &writing = *static_cast<Writing *>(self);
        if (to < 0 || to > int64_t(writing.room.count)) return OPJ_FALSE;
        writing.at = size_t(to);
        return OPJ_TRUE;
    }
};

void silence(opj_codec_t *codec) {
    opj_set_info_handler(codec, beSilent, nullptr);
    opj_set_warning_handler(codec, beSilent, nullptr);
    opj_set_error_handler(codec, beSilent, nullptr);
}

/// Decodes by OpenJPEG, which also knows the blocks of ISO 15444-15.
Image decoded(const CodestreamHeader &header) {
    Reading reading{header.codestream};
    Codec codec(opj_create_decompress(OPJ_CODEC_J2K));
    Stream stream(opj_stream_create(std::clamp<size_t>(header.codestream.count, 64, 1 << 20), OPJ_TRUE));
    if (!codec || !stream) outOfMemory();
    silence(codec.get());
    opj_stream_set_read_function(stream.get(), Reading::read);
    opj_stream_set_skip_function(stream.get(), Reading::skip);
    opj_stream_set_seek_function(stream.get(), Reading::seek);
    opj_stream_set_user_data(stream.get(), &reading, nullptr);
    opj_stream_set_user_data_length(stream.get(), header.codestream.count);
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    if (!opj_setup_decoder(codec.get(), &parameters)) outOfMemory();
    opj_image_t *raw = nullptr;
    const bool isRead = opj_read_header(stream.get(), codec.get(), &raw);
    Image image(raw);
    if (!isRead || !image) malformed();
    if (!opj_decode(codec.get(), stream.get(), image.get())) malformed();
    return image;
}

void store(const Format &format, const CodestreamHeader &header, const opj_image_t &image, uint8_t *output) {
    if (image.numcomps != header.components) differs();
    const SampleRange range(header.precision, header.isSigned, format.isSigned);
    const size_t bytesPerSample = format.bytesPerSample();
    for (uint32_t index = 0; index < image.numcomps; index++) {
        const opj_image_comp_t &component = image.comps[index];
        if (component.w != format.columns || component.h != format.rows || !component.data) malformed();
        range.store(component.data, format.pixelCount(), bytesPerSample, format.samples, output + index * bytesPerSample);
    }
}

}  // namespace

HZColour decodeJPEG2000(const Format &format, Bytes stream, bool isHighThroughput, uint8_t *output) {
    if (format.bitsAllocated != 8 && format.bitsAllocated != 16) unsupported();
    const CodestreamHeader header = CodestreamHeader::read(stream);
    format.require(header.rows, header.columns, header.components, header.precision);
    // OpenJPH is several times faster than OpenJPEG, knows nothing else, and takes damage badly.
    if (isHighThroughput && header.isHighThroughput) {
        decodeHighThroughput(format, header, output);
    } else {
        store(format, header, *decoded(header), output);
    }
    const bool isTransformed = header.usesColourTransform || format.colour == HZColourYBRICT
        || format.colour == HZColourYBRRCT;
    return header.components == 3 && isTransformed ? HZColourRGB : format.colour;
}

size_t encodeJPEG2000(const Format &native, HZColour streamColour, Bytes frame, Room room) {
    if (native.bitsAllocated != 8 && native.bitsAllocated != 16) unsupported();
    // OpenJPEG 2.5.0 does not bring samples of 1 bit back as they were.
    if (native.bitsStored < 2) unsupported();
    const std::vector<uint8_t> clean = cleanSamples(native, frame);
    opj_image_cmptparm_t component[4] = {};
    for (auto &each : component) {
        each.dx = each.dy = 1;
        each.w = native.columns;
        each.h = native.rows;
        each.prec = native.bitsStored;
        each.sgnd = native.isSigned;
    }
    Image image(opj_image_create(
        native.samples, component, native.samples == 3 ? OPJ_CLRSPC_SRGB : OPJ_CLRSPC_GRAY));
    if (!image) outOfMemory();
    image->x1 = native.columns;
    image->y1 = native.rows;
    for (uint32_t sample = 0; sample < native.samples; sample++) {
        spread(native, clean, sample, 0, native.pixelCount(), image->comps[sample].data);
    }
    opj_cparameters_t parameters;
    opj_set_default_encoder_parameters(&parameters);
    parameters.tcp_numlayers = 1;
    parameters.tcp_rates[0] = 0;
    parameters.cp_disto_alloc = 1;
    parameters.irreversible = 0;
    parameters.numresolution = int(decompositionLevels(native)) + 1;
    parameters.tcp_mct = char(streamColour == HZColourYBRRCT ? 1 : 0);
    Codec codec(opj_create_compress(OPJ_CODEC_J2K));
    Stream stream(opj_stream_create(1 << 20, OPJ_FALSE));
    if (!codec || !stream) outOfMemory();
    silence(codec.get());
    Writing writing{room};
    opj_stream_set_write_function(stream.get(), Writing::write);
    opj_stream_set_skip_function(stream.get(), Writing::skip);
    opj_stream_set_seek_function(stream.get(), Writing::seek);
    opj_stream_set_user_data(stream.get(), &writing, nullptr);
    if (!opj_setup_encoder(codec.get(), &parameters, image.get())) unsupported();
    const bool isDone = opj_start_compress(codec.get(), image.get(), stream.get())
        && opj_encode(codec.get(), stream.get()) && opj_end_compress(codec.get(), stream.get());
    if (!isDone) noRoom();
    return writing.count;
}

}  // namespace huizhen::codecs
