#include "jpegls_model.h"

namespace huizhen::codecs::jpegls {

namespace {

constexpr int32_t resetLimit = 1024;

int32_t bitsFor(uint32_t values) {
    int32_t bits = 0;
    while ((uint64_t(1) << bits) < values) bits++;
    return bits;
}

}  // namespace

void Parameters::complete(uint32_t precision) {
    const int32_t widest = int32_t((1u << precision) - 1);
    if (highest == 0) highest = widest;
    if (highest < 1 || highest > widest || near < 0 || near > std::min(255, highest / 2)) malformed();
    auto bounded = [&](int32_t value, int32_t lowest) { return value > highest || value < lowest ? lowest : value; };
    int32_t usual[3];
    if (highest >= 128) {
        const int32_t factor = (std::min(highest, 4095) + 128) / 256;
        usual[0] = bounded(factor + 2 + 3 * near, near + 1);
        usual[1] = bounded(4 * factor + 3 + 5 * near, usual[0]);
        usual[2] = bounded(17 * factor + 4 + 7 * near, usual[1]);
    } else {
        const int32_t factor = 256 / (highest + 1);
        usual[0] = bounded(std::max(2, 3 / factor + 3 * near), near + 1);
        usual[1] = bounded(std::max(3, 7 / factor + 5 * near), usual[0]);
        usual[2] = bounded(std::max(4, 21 / factor + 7 * near), usual[1]);
    }
    int32_t lowest = near + 1;
    for (size_t index = 0; index < 3; index++) {
        if (threshold[index] == 0) threshold[index] = usual[index];
        if (threshold[index] < lowest || threshold[index] > highest) malformed();
        lowest = threshold[index];
    }
    if (reset == 0) reset = 64;
    if (reset < 3) malformed();
    // Larger ones are allowed, unheard of, and would need wider sums.
    if (reset > resetLimit) unsupported();
    range = (highest + 2 * near) / step() + 1;
    rangeBits = bitsFor(uint32_t(range));
    const int32_t bits = std::max(2, bitsFor(uint32_t(highest) + 1));
    limit = 2 * (bits + std::max(8, bits));
}

Model::Model(const Parameters &parameters)
    : parameters(parameters), regions(size_t(2 * parameters.highest + 1)) {
    const uint32_t errors = uint32_t(std::max(2, (parameters.range + 32) / 64));
    Context first{errors, 0, 1, 0, 0};
    first.refreshOrder();
    context.fill(first);
    runContext.fill(RunContext{errors, 1, 0});
    for (int32_t gradient = -parameters.highest; gradient <= parameters.highest; gradient++) {
        const int32_t size = gradient < 0 ? -gradient : gradient;
        int8_t region = 0;
        if (size > parameters.near) {
            region = 1;
            for (const int32_t threshold : parameters.threshold) region = int8_t(region + (size >= threshold ? 1 : 0));
        }
        regions[size_t(gradient + parameters.highest)] = gradient < 0 ? int8_t(-region) : region;
    }
}

}  // namespace huizhen::codecs::jpegls
