// The way samples lie in memory.
#include "frame.h"

namespace huizhen::codecs {

bool Format::isValid() const {
    if (rows == 0 || columns == 0 || rows > HZ_FRAME_SIDE_LIMIT || columns > HZ_FRAME_SIDE_LIMIT) return false;
    if (samples == 0 || samples > 4 || bitsStored == 0 || bitsStored > bitsAllocated) return false;
    switch (bitsAllocated) {
    case 1: return samples == 1 && !isSigned;
    case 8: case 16: case 32: case 64: break;
    default: return false;
    }
    if (colour != HZColourOther && samples != 3) return false;
    if (colour == HZColourYBRFull422) return bitsAllocated == 8 && columns % 2 == 0 && !isPlanar && !isSigned;
    if (colour == HZColourYBRFull) return bitsAllocated <= 16 && !isSigned;
    return true;
}

void storeSamples(const uint16_t *samples, size_t count, size_t bytesPerSample, uint8_t *output) {
    if (bytesPerSample == 2) {
        std::memcpy(output, samples, count * 2);
        return;
    }
    for (size_t index = 0; index < count; index++) output[index] = uint8_t(samples[index]);
}

void extendSigns(uint8_t *samples, size_t count, size_t bytesPerSample, uint32_t precision) {
    if (precision >= bytesPerSample * 8) return;
    const uint32_t sign = 1u << (precision - 1);
    const uint32_t mask = (sign << 1) - 1;
    if (bytesPerSample == 1) {
        for (size_t index = 0; index < count; index++) {
            samples[index] = uint8_t(((samples[index] & mask) ^ sign) - sign);
        }
        return;
    }
    for (size_t index = 0; index < count; index++) {
        store16(samples + 2 * index, uint16_t(((load16(samples + 2 * index) & mask) ^ sign) - sign));
    }
}

std::vector<uint8_t> cleanSamples(const Format &native, Bytes frame) {
    const size_t count = native.sampleCount();
    const uint32_t mask = (1u << native.bitsStored) - 1;
    const bool isWide = native.bitsStored > 8;
    std::vector<uint8_t> clean(isWide ? count * 2 : count);
    if (native.bitsAllocated == 8) {
        for (size_t index = 0; index < count; index++) clean[index] = uint8_t(frame.start[index] & mask);
    } else if (isWide) {
        for (size_t index = 0; index < count; index++) {
            store16(clean.data() + 2 * index, uint16_t(load16(frame.start + 2 * index) & mask));
        }
    } else {
        for (size_t index = 0; index < count; index++) clean[index] = uint8_t(frame.start[2 * index] & mask);
    }
    return clean;
}

}  // namespace huizhen::codecs
