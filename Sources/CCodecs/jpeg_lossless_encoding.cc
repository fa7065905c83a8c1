// JPEG lossless, first-order prediction from the left (process 14, selection value 1).
#include <algorithm>
#include <array>

#include "frame.h"

namespace huizhen::codecs {

namespace {

constexpr size_t categoryCount = 17;

inline int category(int32_t difference) {
    const uint32_t magnitude = uint32_t(difference < 0 ? -difference : difference);
    return magnitude == 0 ? 0 : 32 - __builtin_clz(magnitude);
}

/// A Huffman code that fits the counts, at most 16 bits long and without the code of ones alone. Annex K.2.
struct Code {
    std::array<uint8_t, 16> lengths{};
    std::array<uint8_t, categoryCount> values{};
    size_t valueCount = 0;
    std::array<uint32_t, categoryCount> code{};
    std::array<uint8_t, categoryCount> bits{};

    explicit Code(const std::array<uint64_t, categoryCount> &counts);
};

Code::Code(const std::array<uint64_t, categoryCount> &counts) {
    // With 18 leaves no code is longer than 17 bits before the last leaf is taken off: only that length needs mending.
    constexpr size_t leafCount = categoryCount + 1;
    std::array<uint64_t, leafCount> weight{};
    std::array<int, leafCount> depth{};
    std::array<int, leafCount> next;
    next.fill(-1);
    std::copy(counts.begin(), counts.end(), weight.begin());
    weight[categoryCount] = 1;
    while (true) {
        int least = -1;
        int second = -1;
        for (int leaf = 0; leaf < int(leafCount); leaf++) {
            if (weight[size_t(leaf)] == 0) continue;
            if (least < 0 || weight[size_t(leaf)] <= weight[size_t(least)]) {
                second = least;
                least = leaf;
            } else if (second < 0 || weight[size_t(leaf)] <= weight[size_t(second)]) {
                second = leaf;
            }
        }
        if (second < 0) break;
        weight[size_t(least)] += weight[size_t(second)];
        weight[size_t(second)] = 0;
        int last = least;
        for (depth[size_t(last)]++; next[size_t(last)] >= 0; depth[size_t(last)]++) last = next[size_t(last)];
        next[size_t(last)] = second;
        for (int leaf = second; leaf >= 0; leaf = next[size_t(leaf)]) depth[size_t(leaf)]++;
    }
    std::array<int, 33> number{};
    for (int each : depth) number[size_t(each)]++;
    number[0] = 0;
    for (size_t length = 32; length > 16; length--) {
        while (number[length] > 0) {
            size_t shorter = length - 2;
            while (number[shorter] == 0) shorter--;
            number[length] -= 2;
            number[length - 1]++;
            number[shorter + 1] += 2;
            number[shorter]--;
        }
    }
    // The leaf that stands for the code of ones alone is among the longest.
    size_t longest = 16;
    while (number[longest] == 0) longest--;
    number[longest]--;
    for (size_t length = 1; length <= 16; length++) lengths[length - 1] = uint8_t(number[length]);
    // The likelier, the shorter.
    std::array<size_t, categoryCount> order{};
    for (size_t index = 0; index < categoryCount; index++) order[index] = index;
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return counts[a] != counts[b] ? counts[a] > counts[b] : a < b;
    });
    uint32_t next_code = 0;
    for (size_t length = 1; length <= 16; length++, next_code <<= 1) {
        for (size_t each = 0; each < lengths[length - 1]; each++) {
            const size_t symbol = order[valueCount];
            values[valueCount++] = uint8_t(symbol);
            code[symbol] = next_code++;
            bits[symbol] = uint8_t(length);
        }
    }
}

/// Writes bytes and bits; a zero after each 0xFF among the bits.
class Writer {
public:
    explicit Writer(Room room) : at(room.start), start(room.start), end(room.start + room.count) {}

    void byte(uint32_t value) {
        if (at == end) noRoom();
        *at++ = uint8_t(value);
    }
    void word(uint32_t value) {
        byte(value >> 8 & 255);
        byte(value & 255);
    }
    /// `count` at most 32.
    void bits(uint64_t value, int count) {
        held = held << count | value;
        holding += count;
        while (holding >= 8) {
            const uint8_t next = uint8_t(held >> (holding - 8));
            byte(next);
            if (next == 0xFF) byte(0);
            holding -= 8;
        }
    }
    void endBits() {
        if (holding > 0) bits((1u << (8 - holding)) - 1, 8 - holding);
        holding = 0;
    }
    size_t count() const { return size_t(at - start); }

private:
    uint8_t *at;
    uint8_t *start;
    uint8_t *end;
    uint64_t held = 0;
    int holding = 0;
};

/// Calls `use` with each difference, modulo 65536 and signed, in the order of the stream.
template <typename Sample, typename Use>
void forEachDifference(const Format &native, const uint8_t *clean, Use use) {
    const size_t samples = native.samples;
    const size_t rowSamples = native.rowSampleCount();
    auto value = [&](size_t index) {
        Sample sample;
        std::memcpy(&sample, clean + index * sizeof(Sample), sizeof(Sample));
        return int32_t(sample);
    };
    for (size_t row = 0; row < native.rows; row++) {
        const size_t first = row * rowSamples;
        for (size_t sample = 0; sample < samples; sample++) {
            const int32_t guess = row == 0 ? 1 << (native.bitsStored - 1) : value(first + sample - rowSamples);
            use(int32_t(int16_t(value(first + sample) - guess)));
        }
        for (size_t index = first + samples; index < first + rowSamples; index++) {
            use(int32_t(int16_t(value(index) - value(index - samples))));
        }
    }
}

template <typename Sample>
size_t encode(const Format &native, const uint8_t *clean, Room room) {
    std::array<uint64_t, categoryCount> counts{};
    forEachDifference<Sample>(native, clean, [&](int32_t difference) { counts[size_t(category(difference))]++; });
    const Code code(counts);
    Writer writer(room);
    writer.word(0xFFD8);
    writer.word(0xFFC3);
    writer.word(8 + 3u * native.samples);
    writer.byte(native.bitsStored);
    writer.word(native.rows);
    writer.word(native.columns);
    writer.byte(native.samples);
    for (uint32_t sample = 0; sample < native.samples; sample++) {
        writer.byte(sample + 1);
        writer.byte(0x11);
        writer.byte(0);
    }
    writer.word(0xFFC4);
    writer.word(uint32_t(19 + code.valueCount));
    writer.byte(0);
    for (uint8_t each : code.lengths) writer.byte(each);
    for (size_t index = 0; index < code.valueCount; index++) writer.byte(code.values[index]);
    writer.word(0xFFDA);
    writer.word(6 + 2u * native.samples);
    writer.byte(native.samples);
    for (uint32_t sample = 0; sample < native.samples; sample++) {
        writer.byte(sample + 1);
        writer.byte(0);
    }
    writer.byte(1);
    writer.byte(0);
    writer.byte(0);
    forEachDifference<Sample>(native, clean, [&](int32_t difference) {
        const int which = category(difference);
        const int extra = which == 16 ? 0 : which;
        const uint32_t raw = uint32_t(difference < 0 ? difference - 1 : difference) & ((1u << extra) - 1);
        writer.bits(uint64_t(code.code[size_t(which)]) << extra | raw, code.bits[size_t(which)] + extra);
    });
    writer.endBits();
    writer.word(0xFFD9);
    return writer.count();
}

}  // namespace

size_t encodeJPEGLossless(const Format &native, Bytes frame, Room room) {
    if (native.bitsAllocated > 16 || native.bitsAllocated < 8 || native.bitsStored < 2) unsupported();
    const std::vector<uint8_t> clean = cleanSamples(native, frame);
    return native.bitsStored > 8 ? encode<uint16_t>(native, clean.data(), room)
                                 : encode<uint8_t>(native, clean.data(), room);
}

}  // namespace huizhen::codecs
