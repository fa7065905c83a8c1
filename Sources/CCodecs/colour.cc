#include "colour.h"

#include <algorithm>

namespace huizhen::codecs {

namespace {

template <typename Sample>
void interleaveSamples(size_t pixelCount, size_t samples, const uint8_t *planes, uint8_t *pixels) {
    for (size_t sample = 0; sample < samples; sample++) {
        const uint8_t *from = planes + sample * pixelCount * sizeof(Sample);
        uint8_t *to = pixels + sample * sizeof(Sample);
        for (size_t pixel = 0; pixel < pixelCount; pixel++) {
            std::memcpy(to + pixel * samples * sizeof(Sample), from + pixel * sizeof(Sample), sizeof(Sample));
        }
    }
}

template <typename Sample>
void separateSamples(size_t pixelCount, size_t samples, const uint8_t *pixels, uint8_t *planes) {
    for (size_t sample = 0; sample < samples; sample++) {
        const uint8_t *from = pixels + sample * sizeof(Sample);
        uint8_t *to = planes + sample * pixelCount * sizeof(Sample);
        for (size_t pixel = 0; pixel < pixelCount; pixel++) {
            std::memcpy(to + pixel * sizeof(Sample), from + pixel * samples * sizeof(Sample), sizeof(Sample));
        }
    }
}

/// Rounded and kept within 0...highest; the coefficients are in 1/65536.
inline int32_t clamped(int64_t scaled, int32_t highest) {
    return int32_t(std::clamp<int64_t>((scaled + 32768) >> 16, 0, highest));
}

template <typename Sample>
void toRGB(size_t pixelCount, int32_t bits, uint8_t *pixels) {
    const int32_t highest = int32_t((1u << bits) - 1);
    const int64_t centre = int64_t(1) << (bits - 1);
    for (size_t pixel = 0; pixel < pixelCount; pixel++) {
        Sample value[3];
        std::memcpy(value, pixels + pixel * sizeof value, sizeof value);
        const int64_t y = int64_t(value[0]) << 16;
        const int64_t cb = int64_t(value[1]) - centre;
        const int64_t cr = int64_t(value[2]) - centre;
        value[0] = Sample(clamped(y + 91881 * cr, highest));
        value[1] = Sample(clamped(y - 22554 * cb - 46802 * cr, highest));
        value[2] = Sample(clamped(y + 116130 * cb, highest));
        std::memcpy(pixels + pixel * sizeof value, value, sizeof value);
    }
}

template <typename Sample>
void toYBR(size_t pixelCount, int32_t bits, uint8_t *pixels) {
    const int32_t highest = int32_t((1u << bits) - 1);
    const int64_t centre = int64_t(1) << (bits - 1 + 16);
    for (size_t pixel = 0; pixel < pixelCount; pixel++) {
        Sample value[3];
        std::memcpy(value, pixels + pixel * sizeof value, sizeof value);
        const int64_t r = value[0];
        const int64_t g = value[1];
        const int64_t b = value[2];
        value[0] = Sample(clamped(19595 * r + 38470 * g + 7471 * b, highest));
        value[1] = Sample(clamped(centre - 11059 * r - 21709 * g + 32768 * b, highest));
        value[2] = Sample(clamped(centre + 32768 * r - 27439 * g - 5329 * b, highest));
        std::memcpy(pixels + pixel * sizeof value, value, sizeof value);
    }
}

}  // namespace

void interleave(const Format &format, const uint8_t *planes, uint8_t *pixels) {
    switch (format.bitsAllocated) {
    case 8: return interleaveSamples<uint8_t>(format.pixelCount(), format.samples, planes, pixels);
    case 16: return interleaveSamples<uint16_t>(format.pixelCount(), format.samples, planes, pixels);
    case 32: return interleaveSamples<uint32_t>(format.pixelCount(), format.samples, planes, pixels);
    default: return interleaveSamples<uint64_t>(format.pixelCount(), format.samples, planes, pixels);
    }
}

void separate(const Format &format, const uint8_t *pixels, uint8_t *planes) {
    switch (format.bitsAllocated) {
    case 8: return separateSamples<uint8_t>(format.pixelCount(), format.samples, pixels, planes);
    case 16: return separateSamples<uint16_t>(format.pixelCount(), format.samples, pixels, planes);
    case 32: return separateSamples<uint32_t>(format.pixelCount(), format.samples, pixels, planes);
    default: return separateSamples<uint64_t>(format.pixelCount(), format.samples, pixels, planes);
    }
}

void convertToRGB(const Format &format, uint8_t *pixels) {
    if (format.bitsAllocated == 8) return toRGB<uint8_t>(format.pixelCount(), format.bitsStored, pixels);
    toRGB<uint16_t>(format.pixelCount(), format.bitsStored, pixels);
}

void convertToYBR(const Format &format, uint8_t *pixels) {
    if (format.bitsAllocated == 8) return toYBR<uint8_t>(format.pixelCount(), format.bitsStored, pixels);
    toYBR<uint16_t>(format.pixelCount(), format.bitsStored, pixels);
}

void expand422(const Format &format, const uint8_t *pairs, uint8_t *pixels) {
    const size_t count = format.pixelCount() / 2;
    for (size_t pair = 0; pair < count; pair++) {
        const uint8_t *from = pairs + pair * 4;
        uint8_t *to = pixels + pair * 6;
        to[0] = from[0];
        to[3] = from[1];
        to[1] = to[4] = from[2];
        to[2] = to[5] = from[3];
    }
}

}  // namespace huizhen::codecs
