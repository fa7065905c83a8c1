#include "jpeg_lossless.h"

#include <algorithm>
#include <array>

#include "jpeg_bits.h"

namespace huizhen::codecs {

namespace {

/// Table H.1: what a sample is predicted from. `left`, `above` and `corner` are its neighbours.
template <int selection>
inline int32_t predicted(int32_t left, int32_t above, int32_t corner) {
    switch (selection) {
    case 1: return left;
    case 2: return above;
    case 3: return corner;
    case 4: return left + above - corner;
    case 5: return left + ((above - corner) >> 1);
    case 6: return above + ((left - corner) >> 1);
    default: return (left + above) >> 1;
    }
}

/// One scan: one component, or all of them pixel by pixel.
class Scan {
public:
    Scan(const Format &format, const JPEGHeader &header, uint8_t *output)
        : format(format), header(header), output(output) {}

    void readHeader(Bytes segment, const std::array<LosslessTable, 4> &tables);
    /// Decodes the entropy-coded segments from `at` on; returns where they end.
    const uint8_t *decode(const uint8_t *at, const uint8_t *end, size_t restartInterval);

    size_t componentCount = 0;
    size_t component[4] = {};

private:
    template <int selection>
    void decodeRow(LosslessBits &bits, size_t slot, bool isFirst);
    void decodeInterleaved(LosslessBits &bits, bool isFirst);
    template <int selection>
    void decodePixels(LosslessBits &bits, bool isFirst);
    void store(size_t row);

    const Format &format;
    const JPEGHeader &header;
    uint8_t *output;
    const LosslessTable *table[4] = {};
    int selection = 1;
    uint32_t pointTransform = 0;
    /// The row being decoded and the one above it, for each component of the scan.
    std::vector<uint16_t> current[4];
    std::vector<uint16_t> above[4];
};

void Scan::readHeader(Bytes segment, const std::array<LosslessTable, 4> &tables) {
    if (segment.count < 1) malformed();
    componentCount = segment.start[0];
    if (componentCount == 0 || componentCount > header.components) malformed();
    if (segment.count < 4 + 2 * componentCount) malformed();
    for (size_t slot = 0; slot < componentCount; slot++) {
        const uint8_t *entry = segment.start + 1 + 2 * slot;
        size_t index = 0;
        while (index < header.components && header.component[index].identifier != entry[0]) index++;
        if (index == header.components) malformed();
        for (size_t other = 0; other < slot; other++) {
            if (component[other] == index) malformed();
        }
        component[slot] = index;
        if (entry[1] >> 4 > 3) malformed();
        table[slot] = &tables[entry[1] >> 4];
        if (!table[slot]->isSet()) malformed();
        current[slot].assign(format.columns, 0);
        above[slot].assign(format.columns, 0);
    }
    const uint8_t *rest = segment.start + 1 + 2 * componentCount;
    selection = rest[0];
    pointTransform = rest[2] & 15;
    if (selection < 1 || selection > 7) unsupported();
    if (pointTransform >= header.precision) malformed();
}

template <int selection>
void Scan::decodeRow(LosslessBits &bits, size_t slot, bool isFirst) {
    const LosslessTable &codes = *table[slot];
    uint16_t *row = current[slot].data();
    const uint16_t *over = above[slot].data();
    const size_t count = format.columns;
    uint32_t left = isFirst ? 1u << (header.precision - pointTransform - 1) : over[0];
    left = uint16_t(left + codes.difference(bits));
    row[0] = uint16_t(left);
    if (isFirst) {
        for (size_t column = 1; column < count; column++) {
            left = uint16_t(left + codes.difference(bits));
            row[column] = uint16_t(left);
        }
        return;
    }
    for (size_t column = 1; column < count; column++) {
        const int32_t guess = predicted<selection>(int32_t(left), over[column], over[column - 1]);
        left = uint16_t(guess + codes.difference(bits));
        row[column] = uint16_t(left);
    }
}

template <int selection>
void Scan::decodePixels(LosslessBits &bits, bool isFirst) {
    if (componentCount == 1) return decodeRow<selection>(bits, 0, isFirst);
    for (size_t column = 0; column < format.columns; column++) {
        for (size_t slot = 0; slot < componentCount; slot++) {
            uint16_t *row = current[slot].data();
            const uint16_t *over = above[slot].data();
            int32_t guess;
            if (column == 0) {
                guess = isFirst ? 1 << (header.precision - pointTransform - 1) : over[0];
            } else if (isFirst) {
                guess = row[column - 1];
            } else {
                guess = predicted<selection>(row[column - 1], over[column], over[column - 1]);
            }
            row[column] = uint16_t(guess + table[slot]->difference(bits));
        }
    }
}

void Scan::decodeInterleaved(LosslessBits &bits, bool isFirst) {
    switch (selection) {
    case 1: return decodePixels<1>(bits, isFirst);
    case 2: return decodePixels<2>(bits, isFirst);
    case 3: return decodePixels<3>(bits, isFirst);
    case 4: return decodePixels<4>(bits, isFirst);
    case 5: return decodePixels<5>(bits, isFirst);
    case 6: return decodePixels<6>(bits, isFirst);
    default: return decodePixels<7>(bits, isFirst);
    }
}

/// Writes the current row where it belongs.
void Scan::store(size_t row) {
    const size_t bytesPerSample = format.bytesPerSample();
    const size_t stride = format.samples * bytesPerSample;
    for (size_t slot = 0; slot < componentCount; slot++) {
        uint8_t *to = output + row * format.columns * stride + component[slot] * bytesPerSample;
        const uint16_t *from = current[slot].data();
        for (size_t column = 0; column < format.columns; column++, to += stride) {
            const uint16_t value = extended(
                uint32_t(from[column]) << pointTransform, header.precision, format.isSigned);
            if (bytesPerSample == 2) {
                store16(to, value);
            } else {
                *to = uint8_t(value);
            }
        }
    }
}

const uint8_t *Scan::decode(const uint8_t *at, const uint8_t *end, size_t restartInterval) {
    // Restarts inside a row would begin it anew in its middle; no encoder does that.
    if (restartInterval % format.columns != 0) unsupported();
    const size_t rowsToRestart = restartInterval / format.columns;
    LosslessBits bits(at, end);
    size_t rowsLeft = rowsToRestart;
    bool isFirst = true;
    for (size_t row = 0; row < format.rows; row++) {
        if (rowsToRestart > 0 && rowsLeft == 0) {
            bits.restart();
            rowsLeft = rowsToRestart;
            isFirst = true;
        }
        decodeInterleaved(bits, isFirst);
        if (bits.isOverrun()) malformed();
        store(row);
        for (size_t slot = 0; slot < componentCount; slot++) std::swap(current[slot], above[slot]);
        isFirst = false;
        if (rowsToRestart > 0) rowsLeft--;
    }
    return bits.endOfSegment();
}

}  // namespace

void decodeLossless(const Format &format, const JPEGHeader &header, Bytes stream, uint8_t *output) {
    if (header.precision < 2 || header.precision > 16) unsupported();
    for (uint32_t index = 0; index < header.components; index++) {
        if (header.component[index].horizontal != header.component[0].horizontal
            || header.component[index].vertical != header.component[0].vertical) {
            unsupported();
        }
    }
    std::array<LosslessTable, 4> tables;
    size_t restartInterval = 0;
    bool isDecoded[4] = {};
    uint32_t left = header.components;
    const uint8_t *end = stream.start + stream.count;
    MarkerReader markers(stream);
    Bytes segment{};
    while (left > 0) {
        const uint8_t marker = markers.next(segment);
        if (marker == 0xC4) {
            LosslessTable::readAll(segment, tables);
        } else if (marker == 0xDD) {
            if (segment.count < 2) malformed();
            restartInterval = size_t(segment.start[0]) << 8 | segment.start[1];
        } else if (marker == 0xDA) {
            Scan scan(format, header, output);
            scan.readHeader(segment, tables);
            markers.skipTo(scan.decode(markers.position(), end, restartInterval));
            for (size_t slot = 0; slot < scan.componentCount; slot++) {
                if (isDecoded[scan.component[slot]]) malformed();
                isDecoded[scan.component[slot]] = true;
                left--;
            }
        } else if (marker == 0xD9) {
            malformed();
        }
    }
}

}  // namespace huizhen::codecs
