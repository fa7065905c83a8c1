// JPEG-LS: CharLS. ISO 14495-1.
#include <memory>

#include <charls/charls.h>

#include "colour.h"

namespace huizhen::codecs {

namespace {

void check(charls_jpegls_errc result) {
    using charls::jpegls_errc;
    switch (static_cast<jpegls_errc>(result)) {
    case jpegls_errc::success: return;
    case jpegls_errc::not_enough_memory: outOfMemory();
    case jpegls_errc::destination_buffer_too_small: noRoom();
    case jpegls_errc::parameter_value_not_supported:
    case jpegls_errc::encoding_not_supported:
    case jpegls_errc::color_transform_not_supported:
    case jpegls_errc::bit_depth_for_transform_not_supported: unsupported();
    default: malformed();
    }
}

struct DecoderEnd {
    void operator()(charls_jpegls_decoder *decoder) const { charls_jpegls_decoder_destroy(decoder); }
};
struct EncoderEnd {
    void operator()(charls_jpegls_encoder *encoder) const { charls_jpegls_encoder_destroy(encoder); }
};

}  // namespace

HZColour decodeJPEGLS(const Format &format, Bytes stream, uint8_t *output) {
    if (format.bitsAllocated != 8 && format.bitsAllocated != 16) unsupported();
    const std::unique_ptr<charls_jpegls_decoder, DecoderEnd> decoder(charls_jpegls_decoder_create());
    if (!decoder) outOfMemory();
    check(charls_jpegls_decoder_set_source_buffer(decoder.get(), stream.start, stream.count));
    charls_spiff_header spiff{};
    int32_t hasSPIFF = 0;
    check(charls_jpegls_decoder_read_spiff_header(decoder.get(), &spiff, &hasSPIFF));
    check(charls_jpegls_decoder_read_header(decoder.get()));
    charls_frame_info info{};
    check(charls_jpegls_decoder_get_frame_info(decoder.get(), &info));
    if (info.component_count < 1 || info.bits_per_sample < 1) malformed();
    format.require(info.height, info.width, uint32_t(info.component_count), uint32_t(info.bits_per_sample));
    const uint32_t precision = uint32_t(info.bits_per_sample);
    charls_interleave_mode mode{};
    check(charls_jpegls_decoder_get_interleave_mode(decoder.get(), &mode));

    const size_t streamBytes = precision > 8 ? 2 : 1;
    const size_t count = format.sampleCount();
    const bool isPlanar = format.samples > 1 && static_cast<charls::interleave_mode>(mode) == charls::interleave_mode::none;
    const bool isNarrow = streamBytes < format.bytesPerSample();
    std::vector<uint8_t> scratch(isPlanar || isNarrow ? count * streamBytes : 0);
    uint8_t *target = scratch.empty() ? output : scratch.data();
    check(charls_jpegls_decoder_decode_to_buffer(decoder.get(), target, count * streamBytes, 0));
    Format decoded = format;
    decoded.bitsAllocated = uint16_t(8 * streamBytes);
    if (isPlanar && isNarrow) {
        std::vector<uint8_t> pixels(scratch.size());
        interleave(decoded, scratch.data(), pixels.data());
        scratch = std::move(pixels);
    } else if (isPlanar) {
        interleave(decoded, scratch.data(), output);
    }
    if (isNarrow) {
        for (size_t index = 0; index < count; index++) store16(output + 2 * index, scratch[index]);
    }
    if (format.isSigned) extendSigns(output, count, format.bytesPerSample(), precision);
    return format.colour;
}

size_t encodeJPEGLS(const Format &native, const HZEncoding &encoding, Bytes frame, Room room) {
    if (native.bitsAllocated != 8 && native.bitsAllocated != 16) unsupported();
    if (native.bitsStored < 2 || native.samples > 4) unsupported();
    // With signed samples an error of one around zero would be one of the whole range.
    if (encoding.nearLossless > 0 && native.isSigned) unsupported();
    const bool isNarrow = native.bitsStored <= 8 && native.bitsAllocated == 16;
    const bool isClean = native.bitsStored == native.bitsAllocated && !isNarrow;
    std::vector<uint8_t> scratch;
    Bytes samples = frame;
    if (!isClean) {
        scratch = cleanSamples(native, frame);
        samples = Bytes{scratch.data(), scratch.size()};
    }
    const std::unique_ptr<charls_jpegls_encoder, EncoderEnd> encoder(charls_jpegls_encoder_create());
    if (!encoder) outOfMemory();
    const charls_frame_info info{native.columns, native.rows, native.bitsStored, native.samples};
    check(charls_jpegls_encoder_set_frame_info(encoder.get(), &info));
    check(charls_jpegls_encoder_set_near_lossless(encoder.get(), encoding.nearLossless));
    const auto mode = native.samples == 1 ? charls::interleave_mode::none : charls::interleave_mode::line;
    check(charls_jpegls_encoder_set_interleave_mode(encoder.get(), static_cast<charls_interleave_mode>(mode)));
    check(charls_jpegls_encoder_set_destination_buffer(encoder.get(), room.start, room.count));
    check(charls_jpegls_encoder_encode_from_buffer(encoder.get(), samples.start, samples.count, 0));
    size_t written = 0;
    check(charls_jpegls_encoder_get_bytes_written(encoder.get(), &written));
    return written;
}

}  // namespace huizhen::codecs
