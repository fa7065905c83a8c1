// High-throughput JPEG 2000 (ISO 15444-15), and what both kinds of JPEG 2000 do with samples.
#pragma once

#include "j2k_header.h"

namespace huizhen::codecs {

void decodeHighThroughput(const Format &format, const CodestreamHeader &header, uint8_t *output);

/// Brings decoded values into their range and into native samples.
struct SampleRange {
    int32_t lowest;
    int32_t highest;
    uint32_t precision;
    bool isExtended;

    SampleRange(uint32_t precision, bool streamIsSigned, bool isSigned)
        : lowest(streamIsSigned ? -(int32_t(1) << (precision - 1)) : 0),
          highest(int32_t((uint32_t(1) << (streamIsSigned ? precision - 1 : precision)) - 1)), precision(precision),
          isExtended(isSigned) {}

    /// Writes `count` values, `stride` samples apart.
    void store(const int32_t *values, size_t count, size_t bytesPerSample, size_t stride, uint8_t *output) const;
};

/// Samples of one component, from the pixel `first` on, as the integers the encoders take.
void spread(
    const Format &native, const std::vector<uint8_t> &clean, uint32_t sample, size_t first, size_t count, int32_t *to);

/// As many wavelet levels as the image has pixels for, at most 5.
uint32_t decompositionLevels(const Format &native);

}  // namespace huizhen::codecs
