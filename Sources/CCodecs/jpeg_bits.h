// The entropy coding of JPEG lossless. ISO 10918-1 §F.2.2 and §H.1.2.2.
#pragma once

#include <array>

#include "frame.h"

namespace huizhen::codecs {

/// The bits of one entropy-coded segment, stuffed zeros taken out. Past its end come zeros, which are counted.
class LosslessBits {
public:
    LosslessBits(const uint8_t *at, const uint8_t *end) : at(at), end(end) {}

    /// At least 48 bits are there afterwards.
    void fill() {
        if (end - at >= 8) {
            uint64_t next;
            std::memcpy(&next, at, 8);
            const uint64_t inverted = ~next;
            // No byte of the next eight is 0xFF.
            if (((inverted - 0x0101010101010101) & ~inverted & 0x8080808080808080) == 0) {
                const int bytes = (63 - count) >> 3;
                held |= __builtin_bswap64(next) >> count;
                at += bytes;
                count += 8 * bytes;
                // Bits below those counted would be added again.
                held &= ~uint64_t(0) << (64 - count);
                return;
            }
        }
        fillSlowly();
    }
    uint64_t peek(int bits) const { return held >> (64 - bits); }
    void drop(int bits) {
        held <<= bits;
        count -= bits;
    }
    int available() const { return count; }
    /// Whether bits were used that are not in the stream.
    bool isOverrun() const { return padding > count; }

    /// Goes on after the restart marker that must come next.
    void restart();
    /// Where the marker after this segment is, or the end.
    const uint8_t *endOfSegment() const;

private:
    void fillSlowly();

    const uint8_t *at;
    const uint8_t *end;
    uint64_t held = 0;
    int count = 0;
    /// Bits in `held` and used before it that were made up.
    int64_t padding = 0;
};

/// A Huffman table for differences; one look gives short codes together with their bits.
class LosslessTable {
public:
    /// Reads the tables of one DHT segment. §B.2.4.2.
    static void readAll(Bytes segment, std::array<LosslessTable, 4> &tables);

    bool isSet() const { return isDefined; }

    /// The next difference, modulo 65536. §H.1.2.2.
    int32_t difference(LosslessBits &bits) const {
        if (bits.available() < 32) bits.fill();
        const Entry entry = quick[bits.peek(lookBits)];
        if (entry.bits != 0) {
            bits.drop(entry.bits);
            return entry.difference;
        }
        return differenceSlowly(bits);
    }

private:
    static constexpr int lookBits = 12;
    struct Entry {
        int16_t difference;
        /// Of code and value together; 0 when they are longer than one look.
        uint8_t bits;
    };

    void define(const uint8_t *counts, const uint8_t *values);
    int32_t differenceSlowly(LosslessBits &bits) const;

    bool isDefined = false;
    std::array<Entry, 1 << lookBits> quick{};
    /// For each code length the first code, and where its values begin.
    std::array<int32_t, 18> firstCode{};
    std::array<int32_t, 18> lastCode{};
    std::array<int32_t, 18> firstValue{};
    std::array<uint8_t, 256> value{};
};

}  // namespace huizhen::codecs
