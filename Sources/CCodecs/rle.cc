// RLE Lossless. PS3.5 Annex G.
#include "frame.h"

namespace huizhen::codecs {

namespace {

constexpr size_t headerByteCount = 64;
constexpr size_t segmentCountLimit = 15;

uint32_t load32(const uint8_t *at) {
    return uint32_t(at[0]) | uint32_t(at[1]) << 8 | uint32_t(at[2]) << 16 | uint32_t(at[3]) << 24;
}

/// Unpacks one segment into every `stride`th byte from `output` on, `count` of them.
void unpack(const uint8_t *at, const uint8_t *end, uint8_t *output, size_t stride, size_t count) {
    size_t filled = 0;
    while (filled < count) {
        if (at == end) malformed();
        const uint8_t control = *at++;
        if (control == 128) continue;
        const bool isRun = control > 128;
        // A run or literal that goes on after the frame is cut, as encoders exist that pad inside the segment.
        const size_t length = std::min<size_t>(isRun ? 257u - control : control + 1u, count - filled);
        if (size_t(end - at) < (isRun ? 1 : length)) malformed();
        uint8_t *to = output + filled * stride;
        if (isRun) {
            const uint8_t value = *at++;
            if (stride == 1) {
                std::memset(to, value, length);
            } else {
                for (size_t index = 0; index < length; index++) to[index * stride] = value;
            }
        } else {
            if (stride == 1) {
                std::memcpy(to, at, length);
            } else {
                for (size_t index = 0; index < length; index++) to[index * stride] = at[index];
            }
            at += length;
        }
        filled += length;
    }
}

/// Packs one row; runs and literals never cross rows. PS3.5 §G.3.1.
uint8_t *pack(const uint8_t *row, size_t count, uint8_t *to, const uint8_t *end) {
    size_t at = 0;
    while (at < count) {
        size_t run = 1;
        while (at + run < count && run < 128 && row[at + run] == row[at]) run++;
        if (end - to < 130) noRoom();
        if (run >= 2) {
            *to++ = uint8_t(257 - run);
            *to++ = row[at];
            at += run;
            continue;
        }
        size_t literal = 1;
        // Two equal bytes inside a literal cost as much as a run of their own; three end it.
        while (at + literal < count && literal < 128
               && !(at + literal + 2 < count && row[at + literal] == row[at + literal + 1]
                    && row[at + literal] == row[at + literal + 2])) {
            literal++;
        }
        *to++ = uint8_t(literal - 1);
        std::memcpy(to, row + at, literal);
        to += literal;
        at += literal;
    }
    return to;
}

}  // namespace

HZColour decodeRLE(const Format &format, Bytes stream, uint8_t *output) {
    if (format.bitsAllocated < 8) unsupported();
    if (stream.count < headerByteCount) malformed();
    const size_t segments = load32(stream.start);
    const size_t bytesPerSample = format.bytesPerSample();
    const size_t stride = bytesPerSample * format.samples;
    if (segments > segmentCountLimit) malformed();
    if (segments != stride) differs();
    for (size_t segment = 0; segment < segments; segment++) {
        const size_t start = load32(stream.start + 4 + 4 * segment);
        const size_t next = segment + 1 < segments ? load32(stream.start + 8 + 4 * segment) : stream.count;
        if (start < headerByteCount || start >= stream.count || next <= start) malformed();
        const size_t end = std::min(next, stream.count);
        // The segments go from the most significant byte of the first sample on.
        const size_t sample = segment / bytesPerSample;
        const size_t byte = bytesPerSample - 1 - segment % bytesPerSample;
        unpack(
            stream.start + start, stream.start + end, output + sample * bytesPerSample + byte, stride,
            format.pixelCount());
    }
    return format.colour;
}

size_t encodeRLE(const Format &native, Bytes frame, Room room) {
    const size_t bytesPerSample = native.bytesPerSample();
    const size_t stride = bytesPerSample * native.samples;
    if (native.bitsAllocated < 8 || stride > segmentCountLimit) unsupported();
    if (room.count < headerByteCount) noRoom();
    std::memset(room.start, 0, headerByteCount);
    room.start[0] = uint8_t(stride);
    std::vector<uint8_t> row(native.columns);
    uint8_t *to = room.start + headerByteCount;
    const uint8_t *end = room.start + room.count;
    for (size_t segment = 0; segment < stride; segment++) {
        const uint64_t offset = uint64_t(to - room.start);
        if (offset > UINT32_MAX) unsupported();
        for (size_t byte = 0; byte < 4; byte++) room.start[4 + 4 * segment + byte] = uint8_t(offset >> (8 * byte));
        const uint8_t *from = frame.start + (segment / bytesPerSample) * bytesPerSample + bytesPerSample - 1
            - segment % bytesPerSample;
        for (size_t line = 0; line < native.rows; line++) {
            for (size_t column = 0; column < native.columns; column++, from += stride) row[column] = *from;
            to = pack(row.data(), row.size(), to, end);
        }
        if ((to - room.start) % 2 != 0) {
            if (to == end) noRoom();
            *to++ = 0;
        }
    }
    return size_t(to - room.start);
}

}  // namespace huizhen::codecs
