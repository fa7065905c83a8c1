// What the codecs share: the claimed geometry, failures, and the way samples lie in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "CCodecs.h"

namespace huizhen::codecs {

/// Thrown inside this module; the interface turns it into a status.
struct Failure {
    HZCodecStatus status;
};

[[noreturn]] inline void malformed() { throw Failure{HZCodecStatusMalformed}; }
[[noreturn]] inline void differs() { throw Failure{HZCodecStatusDiffers}; }
[[noreturn]] inline void unsupported() { throw Failure{HZCodecStatusUnsupported}; }
[[noreturn]] inline void noRoom() { throw Failure{HZCodecStatusNoRoom}; }
[[noreturn]] inline void outOfMemory() { throw Failure{HZCodecStatusOutOfMemory}; }

/// A stream that is borrowed.
struct Bytes {
    const uint8_t *start;
    size_t count;
};

/// Where a codec writes; never past its end.
struct Room {
    uint8_t *start;
    size_t count;
};

/// A frame's format with its arithmetic, checked once by `checked`.
struct Format : HZFrameFormat {
    explicit Format(const HZFrameFormat &format) : HZFrameFormat(format) {}

    size_t pixelCount() const { return size_t(rows) * columns; }
    size_t sampleCount() const { return pixelCount() * samples; }
    size_t bytesPerSample() const { return bitsAllocated / 8; }
    size_t rowSampleCount() const { return size_t(columns) * samples; }
    /// Bytes with every sample there: what every codec but the native one reads and writes.
    size_t fullByteCount() const {
        return bitsAllocated == 1 ? (sampleCount() + 7) / 8 : sampleCount() * bytesPerSample();
    }
    bool isValid() const;

    /// Refuses a stream of another geometry. `precision` is the stream's bits a sample.
    void require(uint32_t streamRows, uint32_t streamColumns, uint32_t streamSamples, uint32_t precision) const {
        if (streamRows != rows || streamColumns != columns || streamSamples != samples) differs();
        if (precision == 0 || precision > bitsAllocated) differs();
    }
};

/// A sample of `precision` bits as `isSigned` wants it, in as many bits as there are.
inline uint16_t extended(uint32_t value, uint32_t precision, bool isSigned) {
    if (!isSigned || precision >= 16) return uint16_t(value);
    const uint32_t sign = 1u << (precision - 1);
    return uint16_t(((value & ((sign << 1) - 1)) ^ sign) - sign);
}

inline void store16(uint8_t *at, uint16_t value) { std::memcpy(at, &value, 2); }
inline uint16_t load16(const uint8_t *at) {
    uint16_t value;
    std::memcpy(&value, at, 2);
    return value;
}

/// Writes `count` samples of 16 bits where samples of `bytesPerSample` (1 or 2) go.
void storeSamples(const uint16_t *samples, size_t count, size_t bytesPerSample, uint8_t *output);

/// Extends the sign of every sample in place; `bytesPerSample` is 1 or 2.
void extendSigns(uint8_t *samples, size_t count, size_t bytesPerSample, uint32_t precision);

/// The samples of a native frame in their low bits, the others 0: bytes when `bitsStored` is at most 8, else words.
std::vector<uint8_t> cleanSamples(const Format &native, Bytes frame);

// Each decoder writes every sample of the frame by pixel, `format.fullByteCount()` bytes, and tells the colour of
// what it wrote. `wantsRGB`: it may convert to RGB by itself where that is faster.
HZColour decodeRLE(const Format &format, Bytes stream, uint8_t *output);
HZColour decodeDeflate(const Format &format, Bytes stream, uint8_t *output);
HZColour decodeJPEG(const Format &format, Bytes stream, bool wantsRGB, uint8_t *output);
HZColour decodeJPEGLS(const Format &format, Bytes stream, uint8_t *output);
HZColour decodeJPEG2000(const Format &format, Bytes stream, bool isHighThroughput, uint8_t *output);

// Each encoder reads every sample of the frame by pixel and returns how many bytes it wrote.
size_t encodeRLE(const Format &native, Bytes frame, Room room);
size_t encodeDeflate(const Format &native, Bytes frame, Room room);
size_t encodeJPEG(const Format &native, HZColour streamColour, const HZEncoding &encoding, Bytes frame, Room room);
size_t encodeJPEGLossless(const Format &native, Bytes frame, Room room);
size_t encodeJPEGLS(const Format &native, const HZEncoding &encoding, Bytes frame, Room room);
size_t encodeJPEG2000(const Format &native, HZColour streamColour, Bytes frame, Room room);
size_t encodeHTJ2K(
    const Format &native, HZColour streamColour, const HZEncoding &encoding, Bytes frame, Room room);

}  // namespace huizhen::codecs
