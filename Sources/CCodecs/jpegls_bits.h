// The bits of a JPEG-LS scan: after a byte of ones the next holds seven. ISO 14495-1 §9.1.
#pragma once

#include "frame.h"

namespace huizhen::codecs::jpegls {

/// Past the end of the scan come zeros, which are counted.
class BitReader {
public:
    BitReader(const uint8_t *at, const uint8_t *end) : at(at), end(end) {}

    /// At least 56 bits are there afterwards.
    [[gnu::always_inline]] void fill() {
        if (!isAfterOnes && end - at >= 8) {
            uint64_t next;
            std::memcpy(&next, at, 8);
            const uint64_t inverted = ~next;
            if (((inverted - 0x0101010101010101) & ~inverted & 0x8080808080808080) == 0) {
                const int bytes = (63 - count) >> 3;
                held |= __builtin_bswap64(next) >> count;
                at += bytes;
                count += 8 * bytes;
                held &= ~uint64_t(0) << (64 - count);
                return;
            }
        }
        fillSlowly();
    }
    int available() const { return count; }
    uint64_t all() const { return held; }
    /// `bits` 0...32; enough must be there.
    uint32_t take(int bits) {
        // In two steps: nothing shifts by 64.
        const uint32_t value = uint32_t(held >> 1 >> (63 - bits));
        drop(bits);
        return value;
    }
    void drop(int bits) {
        held <<= bits;
        count -= bits;
    }
    bool isOverrun() const { return padding > count; }
    /// Where the marker after this scan is, or the end.
    const uint8_t *endOfScan() const {
        const uint8_t *position = at;
        while (end - position >= 2) {
            if (position[0] == 0xFF && position[1] >= 0x80) return position;
            position++;
        }
        return end;
    }

private:
    [[gnu::noinline]] void fillSlowly() {
        while (count < 56) {
            const bool isMarker = at == end || (*at == 0xFF && (end - at < 2 || at[1] >= 0x80));
            if (isMarker) {
                padding += 64 - count;
                count = 64;
                return;
            }
            const int bits = isAfterOnes ? 7 : 8;
            held |= uint64_t(*at) << (64 - bits - count);
            count += bits;
            isAfterOnes = *at == 0xFF;
            at++;
        }
    }

    const uint8_t *at;
    const uint8_t *end;
    uint64_t held = 0;
    int count = 0;
    bool isAfterOnes = false;
    int64_t padding = 0;
};

/// Writes bits; throws `noRoom` at the end of its room.
class BitWriter {
public:
    explicit BitWriter(Room room) : at(room.start), start(room.start), end(room.start + room.count) {}

    /// `bits` 0...32.
    void put(uint32_t value, int bits) {
        held = held << bits | value;
        count += bits;
        if (count >= 32) flush();
    }
    /// Fills the last byte with zeros; a byte of ones is followed by one more.
    void finish() {
        flush();
        const int size = isAfterOnes ? 7 : 8;
        if (count > 0 || isAfterOnes) {
            held <<= size - count;
            count = size;
            flush();
        }
        if (isAfterOnes) byte(0);
        count = 0;
        isAfterOnes = false;
    }
    /// Between scans alone.
    void byte(uint32_t value) {
        if (at == end) noRoom();
        *at++ = uint8_t(value);
    }
    void word(uint32_t value) {
        byte(value >> 8 & 255);
        byte(value & 255);
    }
    size_t written() const { return size_t(at - start); }

private:
    void flush() {
        while (count >= 8 || (isAfterOnes && count == 7)) {
            const int bits = isAfterOnes ? 7 : 8;
            count -= bits;
            const uint8_t next = uint8_t(held >> count & ((1u << bits) - 1));
            byte(next);
            isAfterOnes = next == 0xFF;
        }
    }

    uint8_t *at;
    uint8_t *start;
    uint8_t *end;
    uint64_t held = 0;
    int count = 0;
    bool isAfterOnes = false;
};

}  // namespace huizhen::codecs::jpegls
