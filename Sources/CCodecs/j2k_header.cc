#include "j2k_header.h"

#include <algorithm>

namespace huizhen::codecs {

namespace {

constexpr size_t boxCountLimit = 64;

uint32_t big16(const uint8_t *at) { return uint32_t(at[0]) << 8 | at[1]; }
uint32_t big32(const uint8_t *at) { return big16(at) << 16 | big16(at + 2); }

/// The contiguous codestream box of a JP2 file, or the stream itself. ISO 15444-1 §I.4.
Bytes unwrapped(Bytes stream) {
    if (stream.count < 12 || std::memcmp(stream.start + 4, "jP  ", 4) != 0) return stream;
    size_t at = 0;
    for (size_t box = 0; box < boxCountLimit && stream.count - at >= 8; box++) {
        const uint8_t *header = stream.start + at;
        const size_t left = stream.count - at;
        const uint32_t length = big32(header);
        if (std::memcmp(header + 4, "jp2c", 4) == 0) {
            const size_t skipped = length == 1 ? 16 : 8;
            if (left < skipped) malformed();
            return Bytes{header + skipped, left - skipped};
        }
        if (length < 8 || length > left) malformed();
        at += length;
    }
    malformed();
}

uint32_t ceilingOfQuotient(uint64_t value, uint32_t divisor) { return uint32_t((value + divisor - 1) / divisor); }

void readSize(Bytes segment, CodestreamHeader &header) {
    if (segment.count < 36) malformed();
    const uint8_t *at = segment.start;
    header.isHighThroughput = (big16(at) & 0x4000) != 0;
    const uint32_t right = big32(at + 2);
    const uint32_t bottom = big32(at + 6);
    const uint32_t left = big32(at + 10);
    const uint32_t top = big32(at + 14);
    const uint32_t tileWidth = big32(at + 18);
    const uint32_t tileHeight = big32(at + 22);
    const uint32_t tileLeft = big32(at + 26);
    const uint32_t tileTop = big32(at + 30);
    header.components = big16(at + 34);
    if (right <= left || bottom <= top || tileWidth == 0 || tileHeight == 0) malformed();
    if (tileLeft > left || tileTop > top) malformed();
    header.columns = right - left;
    header.rows = bottom - top;
    const uint64_t tiles = uint64_t(ceilingOfQuotient(uint64_t(right) - tileLeft, tileWidth))
        * ceilingOfQuotient(uint64_t(bottom) - tileTop, tileHeight);
    if (tiles > HZ_TILE_COUNT_LIMIT) unsupported();
    if (header.components == 0) malformed();
    if (header.components > 4) unsupported();
    if (segment.count < 36 + 3 * size_t(header.components)) malformed();
    for (uint32_t index = 0; index < header.components; index++) {
        const uint8_t *entry = at + 36 + 3 * index;
        const uint32_t precision = (entry[0] & 0x7Fu) + 1;
        const bool isSigned = entry[0] & 0x80;
        if (entry[1] != 1 || entry[2] != 1) unsupported();
        if (index > 0 && (precision != header.precision || isSigned != header.isSigned)) unsupported();
        header.precision = precision;
        header.isSigned = isSigned;
    }
}

}  // namespace

CodestreamHeader CodestreamHeader::read(Bytes stream) {
    CodestreamHeader header;
    header.codestream = unwrapped(stream);
    const uint8_t *at = header.codestream.start;
    const uint8_t *end = at + header.codestream.count;
    if (end - at < 2 || big16(at) != 0xFF4F) malformed();
    at += 2;
    bool hasSize = false;
    while (true) {
        if (end - at < 4) malformed();
        const uint32_t marker = big16(at);
        if (marker < 0xFF00) malformed();
        const size_t length = big16(at + 2);
        if (length < 2 || size_t(end - at) < length + 2) malformed();
        const Bytes segment{at + 4, length - 2};
        if (marker == 0xFF90) break;
        if (marker == 0xFF51) {
            if (hasSize) malformed();
            readSize(segment, header);
            hasSize = true;
        } else if (marker == 0xFF50) {
            header.isHighThroughput = true;
        } else if (marker == 0xFF52) {
            if (segment.count < 10) malformed();
            header.usesColourTransform = segment.start[4] != 0;
            if (segment.start[8] & 0x40) header.isHighThroughput = true;
        }
        at += length + 2;
    }
    if (!hasSize) malformed();
    return header;
}

}  // namespace huizhen::codecs
