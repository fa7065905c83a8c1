// What JPEG-LS's encoder and decoder share: parameters, contexts, prediction. ISO 14495-1 Annex A.
#pragma once

#include <algorithm>
#include <array>

#include "frame.h"

namespace huizhen::codecs::jpegls {

/// Run lengths by run index. §A.2.1.
constexpr std::array<uint8_t, 32> runOrder = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2,  2,  2,  3,  3,  3,  3,
                                              4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// The coding parameters, defaults filled in. §C.2.4.1.1.
struct Parameters {
    int32_t highest = 0;
    int32_t near = 0;
    int32_t threshold[3] = {};
    int32_t reset = 64;
    int32_t range = 0;
    int32_t rangeBits = 0;
    int32_t limit = 0;

    /// Computes whatever is 0. Throws `malformed` or `unsupported` for values out of range.
    void complete(uint32_t precision);
    /// Whether errors wrap at a power of two and samples come back exactly: the usual case, and the fast one.
    bool isSimple() const { return near == 0 && (range & (range - 1)) == 0; }
    int32_t step() const { return 2 * near + 1; }
};

/// A regular context. §A.2.1.
struct Context {
    uint32_t errors;
    int32_t bias;
    // No bytes: stores of bytes may change anything in a compiler's eyes.
    uint16_t count;
    int16_t correction;
    /// The Golomb parameter that follows from `errors` and `count`. §A.5.1.
    int32_t order;

    void refreshOrder() {
        int32_t next = 0;
        while ((uint64_t(count) << next) < errors) next++;
        order = next;
    }
    /// §A.6: after an error, before its sign is taken off.
    void update(int32_t error, const Parameters &parameters) {
        errors += uint32_t(error < 0 ? -error : error);
        bias += error * parameters.step();
        if (count == parameters.reset) {
            errors >>= 1;
            bias >>= 1;
            count >>= 1;
        }
        count++;
        // §A.6.2 without branches, which nobody could predict: whichever applies, the bias ends in 1 - count...0.
        const int32_t number = count;
        const int32_t isLow = bias <= -number;
        const int32_t isHigh = bias > 0;
        bias = std::clamp(bias + (number & -isLow) - (number & -isHigh), 1 - number, 0);
        correction = int16_t(std::clamp(correction + isHigh - isLow, -128, 127));
        // One up or down is usual.
        const uint64_t scaled = uint64_t(count) << order;
        if (scaled < errors || (order > 0 && (scaled >> 1) >= errors)) refreshOrder();
    }
};

/// A context of samples that end a run. §A.7.2.
struct RunContext {
    uint32_t errors;
    uint32_t count;
    uint32_t negatives;

    int32_t order(bool isType1) const {
        const uint64_t wanted = isType1 ? uint64_t(errors) + (count >> 1) : errors;
        int32_t result = 0;
        while ((uint64_t(count) << result) < wanted) result++;
        return result;
    }
    void update(int32_t error, uint32_t mapped, bool isType1, const Parameters &parameters) {
        if (error < 0) negatives++;
        errors += (mapped + 1 - (isType1 ? 1 : 0)) >> 1;
        if (count == uint32_t(parameters.reset)) {
            errors >>= 1;
            count >>= 1;
            negatives >>= 1;
        }
        count++;
    }
};

/// The state of one scan. About 140 KiB for 16 bits, much of it never touched.
struct Model {
    explicit Model(const Parameters &parameters);

    /// For each gradient its region, -4...4; gradients go to either side of the place pointed at. §A.3.3.
    const int8_t *region() const { return regions.data() + parameters.highest; }

    Parameters parameters;
    std::array<Context, 365> context;
    /// By whether the sample before and the one above are alike.
    std::array<RunContext, 2> runContext;
    std::vector<int8_t> regions;
};

/// §A.4.1.
inline int32_t predicted(int32_t left, int32_t above, int32_t corner) {
    const int32_t low = std::min(left, above);
    const int32_t high = std::max(left, above);
    // left + above - corner lies between low and high exactly when corner does.
    return std::clamp(left + above - corner, low, high);
}

/// A line of samples with one more on either side. §A.2.1.
struct Line {
    explicit Line(size_t columns) : samples(columns + 2, 0) {}
    /// What the line takes from the one above before it begins, and gives that at its end.
    void begin(Line &above) {
        samples.front() = above.samples[1];
        above.samples.back() = above.samples[above.samples.size() - 2];
    }
    std::vector<uint16_t> samples;
};

}  // namespace huizhen::codecs::jpegls
