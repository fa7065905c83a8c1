// JPEG-LS, decoding. ISO 14495-1 Annex A, the other way round.
#include "jpeg_header.h"
#include "jpegls_bits.h"
#include "jpegls_model.h"

namespace huizhen::codecs {

namespace jpegls {

namespace {

constexpr int headroom = 56;

/// How the components of a scan lie. §C.2.3.
enum class Interleave { none = 0, line = 1, sample = 2 };

/// What the markers before a scan say.
struct Header {
    uint32_t precision = 0;
    uint32_t components = 0;
    uint8_t identifier[4] = {};
    Parameters preset{};
};

/// A code whose zeros reach past what is held, or one that says its value in full.
[[gnu::noinline]] uint32_t takeLongGolomb(BitReader &bits, int32_t order, int32_t escape, int32_t rangeBits) {
    if (bits.available() < headroom) bits.fill();
    const uint64_t all = bits.all();
    const int32_t zeros = all == 0 ? 64 : __builtin_clzll(all);
    if (zeros > escape || zeros + 1 > bits.available()) malformed();
    bits.drop(zeros);
    bits.drop(1);
    if (bits.available() < 32) bits.fill();
    if (zeros < escape) return uint32_t(zeros) << order | bits.take(order);
    return bits.take(rangeBits) + 1;
}

/// A mapped error of at most `limit` bits. §A.5.3.
[[gnu::always_inline]] inline uint32_t takeGolomb(BitReader &bits, int32_t order, int32_t limit, int32_t rangeBits) {
    if (bits.available() < 32) bits.fill();
    const uint64_t all = bits.all();
    // A one at the very end keeps the count of zeros defined, and too long.
    const int32_t zeros = __builtin_clzll(all | 1);
    const int32_t escape = limit - rangeBits - 1;
    if (__builtin_expect(zeros >= escape || zeros + 1 + order >= bits.available(), 0)) {
        return takeLongGolomb(bits, order, escape, rangeBits);
    }
    const uint64_t rest = all << zeros;
    const uint32_t low = uint32_t(rest << 1 >> 1 >> (63 - order));
    bits.drop(zeros + 1 + order);
    return uint32_t(zeros) << order | low;
}

/// Decodes the lines of one scan.
class ScanDecoder {
public:
    ScanDecoder(const Parameters &parameters, size_t columns, BitReader bits)
        : model(parameters), columns(columns), bits(bits) {}

    template <bool isSimple>
    void line(Line &above, Line &current, int32_t &runIndex);
    template <bool isSimple>
    void pixels(std::vector<Line> &above, std::vector<Line> &current, int32_t &runIndex);

    Model model;
    size_t columns;
    BitReader bits;

private:
    template <bool isSimple>
    int32_t regular(
        BitReader &reader, const Parameters &p, int32_t place, int32_t left, int32_t over, int32_t corner);
    template <bool isSimple>
    int32_t afterRun(BitReader &reader, bool isType1, int32_t left, int32_t over, int32_t runIndex);
    size_t runLength(BitReader &reader, size_t room, int32_t &runIndex, bool &isInterrupted);
};

/// A sample brought back into its range. §A.4.4.
template <bool isSimple>
inline int32_t wrapped(int32_t value, const Parameters &p) {
    if constexpr (isSimple) return value & p.highest;
    const int32_t span = p.range * p.step();
    if (value < -p.near) {
        value += span;
    } else if (value > p.highest + p.near) {
        value -= span;
    }
    return std::clamp(value, 0, p.highest);
}

template <bool isSimple>
[[gnu::always_inline]] inline int32_t ScanDecoder::regular(
    BitReader &reader, const Parameters &p, int32_t place, int32_t left, int32_t over, int32_t corner) {
    // All ones for a context that stands for its mirror image too.
    const int32_t mirror = place >> 31;
    Context &context = model.context[size_t((place ^ mirror) - mirror)];
    const int32_t order = context.order;
    const uint32_t mapped = takeGolomb(reader, order, p.limit, p.rangeBits);
    if (mapped > 2 * uint32_t(p.range)) malformed();
    int32_t error = int32_t(mapped >> 1) ^ -int32_t(mapped & 1);
    // §A.5.2: the signs swap where negative errors are the likelier.
    const bool isSwapped = (order == 0) & (isSimple || p.near == 0) & (2 * context.bias <= -int32_t(context.count));
    error ^= -int32_t(isSwapped);
    const int32_t guess = std::clamp(
        predicted(left, over, corner) + ((context.correction ^ mirror) - mirror), 0, p.highest);
    context.update(error, p);
    const int32_t signedError = (error ^ mirror) - mirror;
    return wrapped<isSimple>(guess + (isSimple ? signedError : signedError * p.step()), p);
}

template <bool isSimple>
[[gnu::noinline]] int32_t ScanDecoder::afterRun(BitReader &reader, bool isType1, int32_t left, int32_t over, int32_t runIndex) {
    const Parameters &p = model.parameters;
    RunContext &context = model.runContext[isType1 ? 1 : 0];
    const int32_t order = context.order(isType1);
    const uint32_t mapped = takeGolomb(
        reader, order, p.limit - runOrder[size_t(runIndex)] - 1, p.rangeBits);
    if (mapped > 2 * uint32_t(p.range)) malformed();
    const uint32_t typed = mapped + (isType1 ? 1 : 0);
    const bool isMapped = typed & 1;
    const int32_t size = int32_t((typed + 1) >> 1);
    const bool negates = order != 0 || 2 * context.negatives >= context.count;
    const int32_t error = negates == isMapped ? -size : size;
    context.update(error, mapped, isType1, p);
    const int32_t guess = isType1 ? left : over;
    const int32_t signedError = !isType1 && left > over ? -error : error;
    return wrapped<isSimple>(guess + signedError * p.step(), p);
}

/// How many samples go on as before, at most `room`. §A.7.1.
[[gnu::noinline]] size_t ScanDecoder::runLength(BitReader &reader, size_t room, int32_t &runIndex, bool &isInterrupted) {
    size_t length = 0;
    isInterrupted = false;
    while (length < room) {
        if (reader.available() < 32) reader.fill();
        const int32_t order = runOrder[size_t(runIndex)];
        if (reader.take(1) == 0) {
            length += reader.take(order);
            if (length >= room) malformed();
            isInterrupted = true;
            return length;
        }
        const size_t whole = size_t(1) << order;
        if (room - length >= whole && runIndex < 31) runIndex++;
        length += std::min(whole, room - length);
    }
    return length;
}

template <bool isSimple>
void ScanDecoder::line(Line &aboveLine, Line &currentLine, int32_t &runIndex) {
    currentLine.begin(aboveLine);
    const uint16_t *above = aboveLine.samples.data();
    uint16_t *current = currentLine.samples.data();
    // Copies, which the compiler may keep in registers.
    BitReader reader = bits;
    const Parameters parameters = model.parameters;
    const int8_t *const region = model.region();
    int32_t left = current[0];
    int32_t corner = above[0];
    int32_t over = above[1];
    int32_t next = region[over - corner];
    size_t at = 1;
    while (at <= columns) {
        const int32_t right = above[at + 1];
        const int32_t first = region[right - over];
        const int32_t place = 81 * first + 9 * next + region[corner - left];
        if (place != 0) {
            left = regular<isSimple>(reader, parameters, place, left, over, corner);
            current[at++] = uint16_t(left);
            corner = over;
            over = right;
            next = first;
            continue;
        }
        bool isInterrupted;
        const size_t length = runLength(reader, columns + 1 - at, runIndex, isInterrupted);
        std::fill_n(current + at, length, uint16_t(left));
        at += length;
        if (isInterrupted) {
            over = above[at];
            const int32_t gap = left - over;
            const bool isType1 = (gap < 0 ? -gap : gap) <= parameters.near;
            left = afterRun<isSimple>(reader, isType1, left, over, runIndex);
            current[at++] = uint16_t(left);
            if (runIndex > 0) runIndex--;
        }
        if (at > columns) break;
        corner = above[at - 1];
        over = above[at];
        next = region[over - corner];
    }
    bits = reader;
    if (bits.isOverrun()) malformed();
}

/// A line of pixels whose samples take turns; a run is one of all samples. §B.3.
template <bool isSimple>
void ScanDecoder::pixels(std::vector<Line> &above, std::vector<Line> &current, int32_t &runIndex) {
    const size_t components = current.size();
    const int8_t *const region = model.region();
    for (size_t index = 0; index < components; index++) current[index].begin(above[index]);
    size_t at = 1;
    while (at <= columns) {
        int32_t place[4] = {};
        bool isRun = true;
        for (size_t index = 0; index < components; index++) {
            const uint16_t *over = above[index].samples.data() + at;
            place[index] = 81 * region[over[1] - over[0]] + 9 * region[over[0] - over[-1]]
                + region[over[-1] - current[index].samples[at - 1]];
            isRun = isRun && place[index] == 0;
        }
        if (!isRun) {
            for (size_t index = 0; index < components; index++) {
                const uint16_t *over = above[index].samples.data() + at;
                uint16_t *to = current[index].samples.data() + at;
                *to = uint16_t(regular<isSimple>(bits, model.parameters, place[index], to[-1], over[0], over[-1]));
            }
            at++;
            continue;
        }
        bool isInterrupted;
        const size_t length = runLength(bits, columns + 1 - at, runIndex, isInterrupted);
        for (Line &line : current) std::fill_n(line.samples.data() + at, length, line.samples[at - 1]);
        at += length;
        if (!isInterrupted) continue;
        for (size_t index = 0; index < components; index++) {
            uint16_t *to = current[index].samples.data() + at;
            *to = uint16_t(afterRun<isSimple>(bits, false, to[-1], above[index].samples[at], runIndex));
        }
        if (runIndex > 0) runIndex--;
        at++;
    }
    if (bits.isOverrun()) malformed();
}

/// Writes a line where its component goes.
void store(const Format &format, const Line &line, size_t row, size_t component, uint32_t precision, uint8_t *output) {
    const size_t bytesPerSample = format.bytesPerSample();
    const size_t stride = format.samples * bytesPerSample;
    uint8_t *to = output + row * format.columns * stride + component * bytesPerSample;
    const uint16_t *from = line.samples.data() + 1;
    if (format.samples == 1 && bytesPerSample == 2 && (!format.isSigned || precision == 16)) {
        std::memcpy(to, from, format.columns * 2);
        return;
    }
    for (size_t column = 0; column < format.columns; column++, to += stride) {
        const uint16_t value = extended(from[column], precision, format.isSigned);
        if (bytesPerSample == 2) {
            store16(to, value);
        } else {
            *to = uint8_t(value);
        }
    }
}

/// One scan of the components that `first` and the following are; returns where it ends.
template <bool isSimple>
const uint8_t *decodeScan(
    const Format &format, const Header &header, const Parameters &parameters, Interleave interleave, size_t first,
    size_t count, Bytes data, uint8_t *output) {
    ScanDecoder decoder(parameters, format.columns, BitReader(data.start, data.start + data.count));
    std::vector<Line> above(count, Line(format.columns));
    std::vector<Line> current(count, Line(format.columns));
    int32_t runIndex[4] = {};
    for (size_t row = 0; row < format.rows; row++) {
        if (interleave == Interleave::sample && count > 1) {
            decoder.pixels<isSimple>(above, current, runIndex[0]);
        } else {
            for (size_t index = 0; index < count; index++) {
                decoder.line<isSimple>(above[index], current[index], runIndex[index]);
            }
        }
        for (size_t index = 0; index < count; index++) {
            store(format, current[index], row, first + index, header.precision, output);
        }
        std::swap(above, current);
    }
    return decoder.bits.endOfScan();
}

void readFrameHeader(Bytes segment, const Format &format, Header &header) {
    if (header.precision != 0 || segment.count < 6) malformed();
    const uint8_t *at = segment.start;
    header.precision = at[0];
    header.components = at[5];
    if (header.precision < 2 || header.precision > 16) malformed();
    format.require(uint32_t(at[1]) << 8 | at[2], uint32_t(at[3]) << 8 | at[4], header.components, header.precision);
    if (segment.count < 6 + 3 * size_t(header.components)) malformed();
    for (uint32_t index = 0; index < header.components; index++) {
        header.identifier[index] = at[6 + 3 * index];
        if (at[7 + 3 * index] != 0x11) unsupported();
    }
}

void readPreset(Bytes segment, Header &header) {
    if (segment.count < 1) malformed();
    // Mapping tables and images larger than 65535 are other types.
    if (segment.start[0] != 1) unsupported();
    if (segment.count < 11) malformed();
    auto word = [&](size_t index) {
        return int32_t(segment.start[1 + 2 * index]) << 8 | segment.start[2 + 2 * index];
    };
    header.preset.highest = word(0);
    for (size_t index = 0; index < 3; index++) header.preset.threshold[index] = word(index + 1);
    header.preset.reset = word(4);
}

/// A scan's header; the components must come in the order of the frame's.
Interleave readScanHeader(Bytes segment, const Header &header, size_t first, size_t &count, Parameters &parameters) {
    if (header.precision == 0 || segment.count < 1) malformed();
    count = segment.start[0];
    if (count == 0 || count > header.components - first || segment.count < 4 + 2 * count) malformed();
    for (size_t index = 0; index < count; index++) {
        if (segment.start[1 + 2 * index] != header.identifier[first + index]) unsupported();
        if (segment.start[2 + 2 * index] != 0) unsupported();
    }
    const uint8_t *rest = segment.start + 1 + 2 * count;
    parameters = header.preset;
    parameters.near = rest[0];
    parameters.complete(header.precision);
    if (rest[1] > 2) malformed();
    if (rest[2] != 0) unsupported();
    const Interleave interleave = Interleave(rest[1]);
    if (interleave == Interleave::none && count > 1) malformed();
    return interleave;
}

}  // namespace

}  // namespace jpegls

HZColour decodeJPEGLS(const Format &format, Bytes stream, uint8_t *output) {
    using namespace jpegls;
    if (format.bitsAllocated != 8 && format.bitsAllocated != 16) unsupported();
    Header header;
    MarkerReader markers(stream);
    Bytes segment{};
    if (markers.next(segment) != 0xD8) malformed();
    const uint8_t *end = stream.start + stream.count;
    size_t done = 0;
    while (done == 0 || done < header.components) {
        const uint8_t marker = markers.next(segment);
        if (marker == 0xF7) {
            readFrameHeader(segment, format, header);
        } else if (marker == 0xF8) {
            readPreset(segment, header);
        } else if (marker == 0xDA) {
            size_t count = 0;
            Parameters parameters;
            const Interleave interleave = readScanHeader(segment, header, done, count, parameters);
            const Bytes data{markers.position(), size_t(end - markers.position())};
            const auto decode = parameters.isSimple() ? decodeScan<true> : decodeScan<false>;
            markers.skipTo(decode(format, header, parameters, interleave, done, count, data, output));
            done += count;
        } else if (marker == 0xDD) {
            // Restart intervals; nobody writes them.
            if (segment.count < 2 || segment.start[0] != 0 || segment.start[1] != 0) unsupported();
        } else if (marker == 0xE8 && segment.count >= 5 && std::memcmp(segment.start, "mrfx", 4) == 0) {
            // A colour transform outside the standard.
            if (segment.start[4] != 0) unsupported();
        } else if (marker == 0xD9 || (marker >= 0xC0 && marker <= 0xCF)) {
            malformed();
        }
    }
    return format.colour;
}

}  // namespace huizhen::codecs
