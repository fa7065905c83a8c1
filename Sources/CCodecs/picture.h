// Pictures of 8 bits: scaling, mirroring, and their codings.
#pragma once

#include "frame.h"

namespace huizhen::codecs {

/// Rows of pixels that are borrowed; 1 sample is grey, 3 are RGB.
struct Picture {
    const uint8_t *start;
    uint32_t width;
    uint32_t height;
    uint32_t samples;
    size_t stride;

    size_t rowByteCount() const { return size_t(width) * samples; }
};

/// The picture in another size: averaged over areas where it shrinks, interpolated between pixels where it grows.
std::vector<uint8_t> scaled(const Picture &picture, uint32_t width, uint32_t height);

/// Mirrors rows of `width` pixels without gaps in place.
void mirror(std::vector<uint8_t> &pixels, uint32_t width, uint32_t height, uint32_t samples, bool columns, bool rows);

/// Each encodes into `room` and returns the bytes written; an empty profile is left out.
size_t encodeJPEGPicture(const Picture &picture, int quality, Bytes profile, Room room);
size_t encodePNGPicture(const Picture &picture, Bytes profile, Room room);
size_t encodeGIFPicture(const Picture &picture, Room room);

}  // namespace huizhen::codecs
