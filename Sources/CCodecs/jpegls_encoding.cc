// JPEG-LS, encoding: colours by line. ISO 14495-1 Annex A.
#include "jpegls_bits.h"
#include "jpegls_model.h"

namespace huizhen::codecs {

namespace jpegls {

namespace {

class ScanEncoder {
public:
    ScanEncoder(const Parameters &parameters, size_t columns, Room room)
        : model(parameters), columns(columns), bits(room) {}

    /// Encodes the samples in `current`, which become what a decoder will see.
    template <bool isSimple>
    void line(Line &above, Line &current, int32_t &runIndex);

    Model model;
    size_t columns;
    BitWriter bits;

private:
    void putGolomb(uint32_t mapped, int32_t order, int32_t limit);
    template <bool isSimple>
    int32_t regular(int32_t place, int32_t sample, int32_t left, int32_t over, int32_t corner);
    template <bool isSimple>
    int32_t afterRun(int32_t sample, int32_t left, int32_t over, int32_t runIndex);
    void putRun(size_t length, bool isInterrupted, int32_t &runIndex);
    template <bool isSimple>
    int32_t reduced(int32_t error) const;
    template <bool isSimple>
    int32_t rebuilt(int32_t sample, int32_t guess, int32_t signedError) const;
};

/// §A.5.3.
void ScanEncoder::putGolomb(uint32_t mapped, int32_t order, int32_t limit) {
    const int32_t escape = limit - model.parameters.rangeBits - 1;
    const uint32_t zeros = mapped >> order;
    if (zeros < uint32_t(escape)) {
        if (zeros + 1 + uint32_t(order) <= 32) {
            bits.put(1u << order | (mapped & ((1u << order) - 1)), int(zeros) + 1 + order);
            return;
        }
        bits.put(0, int(zeros / 2));
        bits.put(0, int(zeros - zeros / 2));
        bits.put(1u << order | (mapped & ((1u << order) - 1)), 1 + order);
        return;
    }
    bits.put(0, escape / 2);
    bits.put(0, escape - escape / 2);
    bits.put(1u << model.parameters.rangeBits | (mapped - 1), 1 + model.parameters.rangeBits);
}

/// An error as it is coded: in steps, and within half the range. §A.4.4 and §A.4.5.
template <bool isSimple>
inline int32_t ScanEncoder::reduced(int32_t error) const {
    const Parameters &p = model.parameters;
    if constexpr (!isSimple) {
        error = error > 0 ? (error + p.near) / p.step() : -((p.near - error) / p.step());
    }
    if (error < 0) error += p.range;
    return error >= (p.range + 1) / 2 ? error - p.range : error;
}

/// What the decoder will have. §A.4.4.
template <bool isSimple>
inline int32_t ScanEncoder::rebuilt(int32_t sample, int32_t guess, int32_t signedError) const {
    if constexpr (isSimple) return sample;
    const Parameters &p = model.parameters;
    int32_t value = guess + signedError * p.step();
    if (value < -p.near) {
        value += p.range * p.step();
    } else if (value > p.highest + p.near) {
        value -= p.range * p.step();
    }
    return std::clamp(value, 0, p.highest);
}

template <bool isSimple>
inline int32_t ScanEncoder::regular(int32_t place, int32_t sample, int32_t left, int32_t over, int32_t corner) {
    const Parameters &p = model.parameters;
    const int32_t mirror = place >> 31;
    Context &context = model.context[size_t((place ^ mirror) - mirror)];
    const int32_t guess = std::clamp(
        predicted(left, over, corner) + ((context.correction ^ mirror) - mirror), 0, p.highest);
    const int32_t error = reduced<isSimple>(((sample - guess) ^ mirror) - mirror);
    const int32_t order = context.order;
    const bool isSwapped = (order == 0) & (p.near == 0) & (2 * context.bias <= -int32_t(context.count));
    const int32_t coded = error ^ -int32_t(isSwapped);
    putGolomb(uint32_t(coded >> 31) ^ (uint32_t(coded) << 1), order, p.limit);
    context.update(error, p);
    return rebuilt<isSimple>(sample, guess, (error ^ mirror) - mirror);
}

/// §A.7.2.
template <bool isSimple>
int32_t ScanEncoder::afterRun(int32_t sample, int32_t left, int32_t over, int32_t runIndex) {
    const Parameters &p = model.parameters;
    const int32_t gap = left - over;
    const bool isType1 = (gap < 0 ? -gap : gap) <= p.near;
    const int32_t guess = isType1 ? left : over;
    const bool isMirrored = !isType1 && left > over;
    const int32_t error = reduced<isSimple>(isMirrored ? guess - sample : sample - guess);
    RunContext &context = model.runContext[isType1 ? 1 : 0];
    const int32_t order = context.order(isType1);
    const bool isMapped = error > 0 ? order == 0 && 2 * context.negatives < context.count
                                    : error < 0 && (order != 0 || 2 * context.negatives >= context.count);
    const int32_t size = error < 0 ? -error : error;
    const uint32_t mapped = uint32_t(2 * size - (isType1 ? 1 : 0) - (isMapped ? 1 : 0));
    putGolomb(mapped, order, p.limit - runOrder[size_t(runIndex)] - 1);
    context.update(error, mapped, isType1, p);
    return rebuilt<isSimple>(sample, guess, isMirrored ? -error : error);
}

/// §A.7.1.2.
void ScanEncoder::putRun(size_t length, bool isInterrupted, int32_t &runIndex) {
    while (length >= size_t(1) << runOrder[size_t(runIndex)]) {
        bits.put(1, 1);
        length -= size_t(1) << runOrder[size_t(runIndex)];
        if (runIndex < 31) runIndex++;
    }
    if (isInterrupted) {
        bits.put(uint32_t(length), 1 + runOrder[size_t(runIndex)]);
    } else if (length > 0) {
        bits.put(1, 1);
    }
}

template <bool isSimple>
void ScanEncoder::line(Line &aboveLine, Line &currentLine, int32_t &runIndex) {
    currentLine.begin(aboveLine);
    const uint16_t *above = aboveLine.samples.data();
    uint16_t *current = currentLine.samples.data();
    const int32_t near = model.parameters.near;
    const int8_t *const region = model.region();
    size_t at = 1;
    while (at <= columns) {
        const int32_t left = current[at - 1];
        const int32_t corner = above[at - 1];
        const int32_t over = above[at];
        const int32_t place = 81 * region[above[at + 1] - over] + 9 * region[over - corner] + region[corner - left];
        if (place != 0) {
            current[at] = uint16_t(regular<isSimple>(place, current[at], left, over, corner));
            at++;
            continue;
        }
        size_t length = 0;
        while (at + length <= columns) {
            const int32_t gap = int32_t(current[at + length]) - left;
            if ((gap < 0 ? -gap : gap) > near) break;
            current[at + length++] = uint16_t(left);
        }
        at += length;
        const bool isInterrupted = at <= columns;
        putRun(length, isInterrupted, runIndex);
        if (!isInterrupted) break;
        current[at] = uint16_t(afterRun<isSimple>(current[at], left, above[at], runIndex));
        if (runIndex > 0) runIndex--;
        at++;
    }
}

/// Reads a line of one component.
void load(const Format &native, Bytes frame, size_t row, size_t component, Line &line) {
    const uint16_t mask = uint16_t((1u << native.bitsStored) - 1);
    const size_t bytesPerSample = native.bytesPerSample();
    const size_t stride = native.samples * bytesPerSample;
    const uint8_t *from = frame.start + row * native.columns * stride + component * bytesPerSample;
    uint16_t *to = line.samples.data() + 1;
    for (size_t column = 0; column < native.columns; column++, from += stride) {
        to[column] = uint16_t((bytesPerSample == 2 ? load16(from) : *from) & mask);
    }
}

void putHeaders(const Format &native, const Parameters &parameters, BitWriter &bits) {
    bits.word(0xFFD8);
    bits.word(0xFFF7);
    bits.word(8 + 3u * native.samples);
    bits.byte(native.bitsStored);
    bits.word(native.rows);
    bits.word(native.columns);
    bits.byte(native.samples);
    for (uint32_t component = 1; component <= native.samples; component++) {
        bits.byte(component);
        bits.word(0x1100);
    }
    if (native.bitsStored > 12) {
        // The defaults, said once more: decoders exist that compute them wrongly beyond 12 bits.
        bits.word(0xFFF8);
        bits.word(13);
        bits.byte(1);
        bits.word(uint32_t(parameters.highest));
        for (const int32_t threshold : parameters.threshold) bits.word(uint32_t(threshold));
        bits.word(uint32_t(parameters.reset));
    }
    bits.word(0xFFDA);
    bits.word(6 + 2u * native.samples);
    bits.byte(native.samples);
    for (uint32_t component = 1; component <= native.samples; component++) bits.word(component << 8);
    bits.byte(uint32_t(parameters.near));
    // Colours take turns line by line.
    bits.byte(native.samples > 1 ? 1 : 0);
    bits.byte(0);
}

template <bool isSimple>
size_t encode(const Format &native, const Parameters &parameters, Bytes frame, Room room) {
    ScanEncoder encoder(parameters, native.columns, room);
    putHeaders(native, parameters, encoder.bits);
    std::vector<Line> above(native.samples, Line(native.columns));
    std::vector<Line> current(native.samples, Line(native.columns));
    int32_t runIndex[4] = {};
    for (size_t row = 0; row < native.rows; row++) {
        for (size_t component = 0; component < native.samples; component++) {
            load(native, frame, row, component, current[component]);
            encoder.line<isSimple>(above[component], current[component], runIndex[component]);
        }
        std::swap(above, current);
    }
    encoder.bits.finish();
    encoder.bits.word(0xFFD9);
    return encoder.bits.written();
}

}  // namespace

}  // namespace jpegls

size_t encodeJPEGLS(const Format &native, const HZEncoding &encoding, Bytes frame, Room room) {
    if (native.bitsAllocated != 8 && native.bitsAllocated != 16) unsupported();
    if (native.bitsStored < 2) unsupported();
    // With signed samples an error of one around zero would be one of the whole range.
    if (encoding.nearLossless > 0 && native.isSigned) unsupported();
    jpegls::Parameters parameters;
    parameters.near = encoding.nearLossless;
    parameters.complete(native.bitsStored);
    return parameters.isSimple() ? jpegls::encode<true>(native, parameters, frame, room)
                                 : jpegls::encode<false>(native, parameters, frame, room);
}

}  // namespace huizhen::codecs
