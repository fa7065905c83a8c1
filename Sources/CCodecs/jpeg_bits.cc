#include "jpeg_bits.h"

namespace huizhen::codecs {

namespace {

/// §F.2.2.1: `bits` bits after their category. Category 16 stands for 32768 and has none.
inline int32_t extendedDifference(uint32_t raw, int category) {
    if (category == 0) return 0;
    return raw < (1u << (category - 1)) ? int32_t(raw) - (1 << category) + 1 : int32_t(raw);
}

}  // namespace

void LosslessBits::fillSlowly() {
    while (count <= 48) {
        uint64_t byte = 0;
        const bool isMarker = at != end && *at == 0xFF && (end - at < 2 || at[1] != 0);
        if (at == end || isMarker) {
            padding += 8;
        } else {
            byte = *at;
            at += byte == 0xFF ? 2 : 1;
        }
        held |= byte << (56 - count);
        count += 8;
    }
}

void LosslessBits::restart() {
    if (isOverrun()) malformed();
    const uint8_t *marker = endOfSegment();
    if (end - marker < 2 || marker[1] < 0xD0 || marker[1] > 0xD7) malformed();
    at = marker + 2;
    held = 0;
    count = 0;
    padding = 0;
}

const uint8_t *LosslessBits::endOfSegment() const {
    // Bits that are held but not used may reach back over whole bytes; the marker is ahead of all of them.
    const uint8_t *position = at;
    while (end - position >= 2) {
        if (position[0] == 0xFF && position[1] != 0 && position[1] != 0xFF) return position;
        position++;
    }
    return end;
}

void LosslessTable::readAll(Bytes segment, std::array<LosslessTable, 4> &tables) {
    const uint8_t *at = segment.start;
    const uint8_t *end = at + segment.count;
    while (at != end) {
        if (end - at < 17) malformed();
        const uint8_t which = at[0];
        size_t total = 0;
        for (size_t length = 1; length <= 16; length++) total += at[length];
        if (total > 256 || size_t(end - at) < 17 + total) malformed();
        // Tables of class 1 are for a DCT's AC coefficients.
        if (which < 4) tables[which].define(at + 1, at + 17);
        at += 17 + total;
    }
}

void LosslessTable::define(const uint8_t *counts, const uint8_t *values) {
    quick.fill(Entry{0, 0});
    int32_t code = 0;
    int32_t index = 0;
    for (int length = 1; length <= 16; length++) {
        const int32_t number = counts[length - 1];
        firstCode[size_t(length)] = code;
        firstValue[size_t(length)] = index;
        if (code + number > 1 << length) malformed();
        for (int32_t each = 0; each < number; each++, code++, index++) {
            const uint8_t category = values[index];
            if (category > 16) malformed();
            value[size_t(index)] = category;
            const int extra = category == 16 ? 0 : category;
            const int bits = length + extra;
            if (bits > lookBits) continue;
            const int free = lookBits - bits;
            for (uint32_t raw = 0; raw < 1u << extra; raw++) {
                const int32_t meaning = category == 16 ? -32768 : extendedDifference(raw, category);
                const size_t from = ((size_t(code) << extra) + raw) << free;
                for (size_t at = from; at < from + (size_t(1) << free); at++) {
                    quick[at] = Entry{int16_t(meaning), uint8_t(bits)};
                }
            }
        }
        lastCode[size_t(length)] = code - 1;
        code <<= 1;
    }
    isDefined = index > 0;
}

int32_t LosslessTable::differenceSlowly(LosslessBits &bits) const {
    int32_t code = 0;
    for (int length = 1; length <= 16; length++) {
        code = int32_t(bits.peek(length));
        if (code < firstCode[size_t(length)] || code > lastCode[size_t(length)]) continue;
        const int category = value[size_t(firstValue[size_t(length)] + code - firstCode[size_t(length)])];
        bits.drop(length);
        if (category == 0) return 0;
        if (category == 16) return 32768;
        const uint32_t raw = uint32_t(bits.peek(category));
        bits.drop(category);
        return extendedDifference(raw, category);
    }
    malformed();
}

}  // namespace huizhen::codecs
