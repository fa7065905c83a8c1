// The C ABI of the codecs: no exception gets past these functions.
#include <mutex>
#include <new>

#include "colour.h"
#include "jpeg_header.h"
#include "jpeg_twelve.h"
#include "lettering.h"
#include "render.h"
#include "video.h"

using namespace huizhen::codecs;

namespace {

template <typename Body>
HZCodecStatus guarded(Body body) noexcept {
    try {
        body();
        return HZCodecStatusOK;
    } catch (const Failure &failure) {
        return failure.status;
    } catch (const std::bad_alloc &) {
        return HZCodecStatusOutOfMemory;
    } catch (...) {
        // A library's own exception; they tell of streams they could not read.
        return HZCodecStatusMalformed;
    }
}

size_t nativeByteCount(const Format &format) {
    return format.colour == HZColourYBRFull422 ? format.pixelCount() * 2 : format.fullByteCount();
}

bool isSubsampled(const Format &format) { return format.colour == HZColourYBRFull422; }

/// A native frame as pixels with all their samples; `scratch` holds them where they do not lie so already.
Bytes pixels(const Format &native, Bytes frame, std::vector<uint8_t> &scratch) {
    if (isSubsampled(native)) {
        scratch.resize(native.fullByteCount());
        expand422(native, frame.start, scratch.data());
    } else if (native.isPlanar && native.samples > 1) {
        scratch.resize(native.fullByteCount());
        interleave(native, frame.start, scratch.data());
    } else {
        return frame;
    }
    return Bytes{scratch.data(), scratch.size()};
}

HZColour decodePixels(HZCodec codec, const Format &claimed, Bytes stream, bool wantsRGB, uint8_t *output) {
    switch (codec) {
    case HZCodecRLE: return decodeRLE(claimed, stream, output);
    case HZCodecJPEG:
    case HZCodecJPEGLossless: return decodeJPEG(claimed, stream, wantsRGB, output);
    case HZCodecJPEGLS: return decodeJPEGLS(claimed, stream, output);
    case HZCodecJPEG2000: return decodeJPEG2000(claimed, stream, false, output);
    case HZCodecHTJ2K: return decodeJPEG2000(claimed, stream, true, output);
    case HZCodecNative:
    case HZCodecDeflate: break;
    }
    throw Failure{HZCodecStatusMisuse};
}

/// Native samples are copied where nothing is to change; by pixel and with all samples otherwise.
HZColour decodeNative(const Format &claimed, Bytes frame, uint8_t *output) {
    const size_t count = nativeByteCount(claimed);
    if (frame.count < count) malformed();
    std::vector<uint8_t> scratch;
    const Bytes whole = pixels(claimed, Bytes{frame.start, count}, scratch);
    std::memcpy(output, whole.start, whole.count);
    return isSubsampled(claimed) ? HZColourYBRFull : claimed.colour;
}

HZColour decodeDeflated(const Format &claimed, Bytes stream, uint8_t *output) {
    if (!isSubsampled(claimed) && !(claimed.isPlanar && claimed.samples > 1)) {
        return decodeDeflate(claimed, stream, output);
    }
    if (isSubsampled(claimed)) unsupported();
    std::vector<uint8_t> planes(claimed.fullByteCount());
    (void)decodeDeflate(claimed, stream, planes.data());
    interleave(claimed, planes.data(), output);
    return claimed.colour;
}

void convert(const Format &format, HZColour from, HZColour to, uint8_t *pixels) {
    if (from == to || to == HZColourOther || format.samples != 3) return;
    Format native = format;
    native.colour = to;
    if (!native.isValid() || format.isSigned || format.bitsAllocated > 16) unsupported();
    if (from == HZColourYBRFull && to == HZColourRGB) return convertToRGB(format, pixels);
    if (from == HZColourRGB && to == HZColourYBRFull) return convertToYBR(format, pixels);
    unsupported();
}

void decode(HZCodec codec, const Format &claimed, const Format &wanted, Bytes stream, Room room) {
    if (!claimed.isValid() || !wanted.isValid() || isSubsampled(wanted)) throw Failure{HZCodecStatusMisuse};
    if (claimed.rows != wanted.rows || claimed.columns != wanted.columns || claimed.samples != wanted.samples
        || claimed.bitsAllocated != wanted.bitsAllocated) {
        throw Failure{HZCodecStatusMisuse};
    }
    if (room.count != nativeByteCount(wanted)) noRoom();
    const bool isPlanar = wanted.isPlanar && wanted.samples > 1;
    std::vector<uint8_t> scratch(isPlanar ? room.count : 0);
    uint8_t *target = isPlanar ? scratch.data() : room.start;
    HZColour colour;
    if (codec == HZCodecNative) {
        colour = decodeNative(claimed, stream, target);
    } else if (codec == HZCodecDeflate) {
        colour = decodeDeflated(claimed, stream, target);
    } else {
        colour = decodePixels(codec, claimed, stream, wanted.colour == HZColourRGB, target);
    }
    convert(wanted, colour, wanted.colour, target);
    if (isPlanar) separate(wanted, scratch.data(), room.start);
}

size_t encode(
    HZCodec codec, const Format &native, HZColour streamColour, const HZEncoding &encoding, Bytes frame, Room room) {
    if (!native.isValid() || native.colour == HZColourYBRICT || native.colour == HZColourYBRRCT) {
        throw Failure{HZCodecStatusMisuse};
    }
    if (frame.count != nativeByteCount(native)) throw Failure{HZCodecStatusMisuse};
    if (codec == HZCodecDeflate) return encodeDeflate(native, frame, room);
    if (native.bitsAllocated == 1) unsupported();
    std::vector<uint8_t> scratch;
    const Bytes whole = pixels(native, frame, scratch);
    Format full = native;
    full.isPlanar = false;
    if (isSubsampled(native)) full.colour = HZColourYBRFull;
    switch (codec) {
    case HZCodecRLE: return encodeRLE(full, whole, room);
    case HZCodecJPEG: return encodeJPEG(full, streamColour, encoding, whole, room);
    case HZCodecJPEGLossless: return encodeJPEGLossless(full, whole, room);
    case HZCodecJPEGLS: return encodeJPEGLS(full, encoding, whole, room);
    case HZCodecJPEG2000: return encodeJPEG2000(full, streamColour, whole, room);
    case HZCodecHTJ2K: return encodeHTJ2K(full, streamColour, encoding, whole, room);
    case HZCodecNative:
    case HZCodecDeflate: break;
    }
    throw Failure{HZCodecStatusMisuse};
}

/// Whether the encoder reads such a frame as it comes: layouts are its own business, colours are not.
bool isEncodable(const Format &claimed, const Format &native) {
    return claimed.colour == native.colour
        || (claimed.colour == HZColourYBRFull422 && native.colour == HZColourYBRFull);
}

size_t convert(const HZConversion &conversion, Bytes stream, Room room) {
    const Format claimed(conversion.claimed);
    const Format native(conversion.native);
    if (!claimed.isValid() || !native.isValid()) throw Failure{HZCodecStatusMisuse};
    if (conversion.to == HZCodecNative) {
        const size_t count = nativeByteCount(native);
        if (room.count < count) noRoom();
        if (conversion.from == HZCodecNative && claimed.colour == native.colour && claimed.isPlanar == native.isPlanar) {
            if (stream.count < count) malformed();
            std::memcpy(room.start, stream.start, count);
        } else {
            decode(conversion.from, claimed, native, stream, Room{room.start, count});
        }
        return count;
    }
    if (conversion.from == HZCodecNative && isEncodable(claimed, native)) {
        const size_t count = nativeByteCount(claimed);
        if (stream.count < count) malformed();
        return encode(
            conversion.to, claimed, conversion.streamColour, conversion.encoding, Bytes{stream.start, count}, room);
    }
    std::vector<uint8_t> frame(nativeByteCount(native));
    decode(conversion.from, claimed, native, stream, Room{frame.data(), frame.size()});
    return encode(
        conversion.to, native, conversion.streamColour, conversion.encoding, Bytes{frame.data(), frame.size()}, room);
}

/// Runs every library once, so that none opens a file or asks the system for something later.
void warmUp() {
    const HZFrameFormat formats[] = {
        {16, 16, 1, 8, 8, false, false, HZColourOther},
        {16, 16, 1, 16, 12, false, false, HZColourOther},
        {16, 16, 3, 8, 8, false, false, HZColourRGB},
    };
    const HZCodec codecs[] = {HZCodecRLE,    HZCodecDeflate,  HZCodecJPEG, HZCodecJPEGLossless,
                              HZCodecJPEGLS, HZCodecJPEG2000, HZCodecHTJ2K};
    const HZEncoding encoding{90, 0, 0};
    for (const HZFrameFormat &format : formats) {
        std::vector<uint8_t> frame(hz_frame_byte_count(&format));
        for (size_t index = 0; index < frame.size(); index++) frame[index] = uint8_t(index * 37 % 13);
        std::vector<uint8_t> stream(hz_frame_stream_limit(&format));
        for (const HZCodec codec : codecs) {
            size_t count = 0;
            if (hz_frame_encode(
                    codec, &format, format.colour, &encoding, frame.data(), frame.size(), stream.data(), stream.size(),
                    &count)
                != HZCodecStatusOK) {
                continue;
            }
            (void)hz_frame_decode(codec, &format, &format, stream.data(), count, frame.data(), frame.size());
            // The way errors take.
            (void)hz_frame_decode(codec, &format, &format, stream.data(), 20, frame.data(), frame.size());
        }
    }
}

}  // namespace

void hz_codecs_initialize(void) {
    static std::once_flag once;
    (void)guarded([] {
        std::call_once(once, [] {
            initializeTwelveBits();
            openFonts();
            warmUp();
            warmUpRendering();
        });
    });
}

size_t hz_frame_byte_count(const HZFrameFormat *format) {
    const Format checked(*format);
    return checked.isValid() ? nativeByteCount(checked) : 0;
}

size_t hz_frame_stream_limit(const HZFrameFormat *format) {
    const Format checked(*format);
    return checked.isValid() ? 2 * checked.fullByteCount() + (64 << 10) : 0;
}

HZCodecStatus hz_frame_decode(
    HZCodec codec, const HZFrameFormat *claimed, const HZFrameFormat *wanted, const uint8_t *bytes, size_t count,
    uint8_t *output, size_t outputCount) {
    return guarded([&] {
        decode(codec, Format(*claimed), Format(*wanted), Bytes{bytes, count}, Room{output, outputCount});
    });
}

HZCodecStatus hz_frame_encode(
    HZCodec codec, const HZFrameFormat *native, HZColour streamColour, const HZEncoding *encoding,
    const uint8_t *bytes, size_t count, uint8_t *output, size_t outputCount, size_t *written) {
    return guarded([&] {
        *written = encode(
            codec, Format(*native), streamColour, *encoding, Bytes{bytes, count}, Room{output, outputCount});
    });
}

HZCodecStatus hz_frame_convert(
    const HZConversion *conversion, const uint8_t *bytes, size_t count, uint8_t *output, size_t outputCount,
    size_t *written) {
    return guarded([&] { *written = convert(*conversion, Bytes{bytes, count}, Room{output, outputCount}); });
}

size_t hz_rendering_table_byte_count(const HZRendering *rendering) { return tableByteCount(*rendering); }

HZCodecStatus hz_frame_render(
    const HZRendering *rendering, const uint8_t *tables, size_t tableCount, const uint8_t *bytes, size_t count,
    uint8_t *output, size_t outputCount, size_t *written) {
    return guarded([&] {
        *written = render(*rendering, Bytes{tables, tableCount}, Bytes{bytes, count}, Room{output, outputCount});
    });
}

size_t hz_video_byte_limit(const HZVideo *video) { return videoByteLimit(*video); }

HZCodecStatus hz_video_encode(
    const HZVideo *video, const uint8_t *bytes, size_t count, uint8_t *output, size_t outputCount, size_t *written) {
    return guarded([&] { *written = encodeVideo(*video, Bytes{bytes, count}, Room{output, outputCount}); });
}

HZCodecStatus hz_jpeg_colour(const uint8_t *bytes, size_t count, HZColour *colour) {
    return guarded([&] { *colour = JPEGHeader::read(Bytes{bytes, count}).colour(); });
}
