#include <algorithm>
#include <cmath>

#include "picture.h"

namespace huizhen::codecs {

namespace {

constexpr uint32_t unit = 1 << 16;

/// From which places along one side a place of the result comes, and how much of each; the weights add up to `unit`.
struct Axis {
    struct Place {
        uint32_t first;
        uint32_t count;
        size_t weights;
    };
    std::vector<Place> places;
    std::vector<uint32_t> weights;

    Axis(uint32_t from, uint32_t to) {
        places.reserve(to);
        const double step = double(from) / to;
        for (uint32_t index = 0; index < to; index++) {
            if (from > to) {
                average(index * step, std::min((index + 1) * step, double(from)), from);
            } else {
                interpolate((index + 0.5) * step - 0.5, from);
            }
        }
    }

private:
    void average(double start, double end, uint32_t from) {
        const uint32_t first = std::min(uint32_t(start), from - 1);
        const uint32_t last = std::min(uint32_t(std::ceil(end)), from);
        begin(first);
        for (uint32_t index = first; index < std::max(last, first + 1); index++) {
            const double share = std::min(end, index + 1.0) - std::max(start, double(index));
            add(std::max(share, 0.0) / (end - start));
        }
        finish();
    }

    void interpolate(double position, uint32_t from) {
        const double held = std::clamp(position, 0.0, double(from - 1));
        const uint32_t first = std::min(uint32_t(held), from - 1);
        begin(first);
        const double rest = held - first;
        add(1 - rest);
        if (rest > 0 && first + 1 < from) add(rest);
        finish();
    }

    void begin(uint32_t first) { places.push_back(Place{first, 0, weights.size()}); }
    void add(double share) {
        weights.push_back(uint32_t(std::lround(share * unit)));
        places.back().count++;
    }
    /// What rounding left over goes to the heaviest.
    void finish() {
        const Place &place = places.back();
        uint32_t sum = 0;
        size_t heaviest = place.weights;
        for (size_t index = place.weights; index < weights.size(); index++) {
            sum += weights[index];
            if (weights[index] > weights[heaviest]) heaviest = index;
        }
        weights[heaviest] += unit - sum;
    }
};

/// One row in its new width, in 1/256.
template <uint32_t samples>
void scaleRow(const uint8_t *row, const Axis &axis, uint16_t *output) {
    for (const Axis::Place &place : axis.places) {
        const uint32_t *weight = axis.weights.data() + place.weights;
        const uint8_t *from = row + size_t(place.first) * samples;
        uint32_t sum[samples] = {};
        for (uint32_t index = 0; index < place.count; index++) {
            for (uint32_t sample = 0; sample < samples; sample++) sum[sample] += weight[index] * *from++;
        }
        for (uint32_t sample = 0; sample < samples; sample++) *output++ = uint16_t((sum[sample] + 128) >> 8);
    }
}

}  // namespace

std::vector<uint8_t> scaled(const Picture &picture, uint32_t width, uint32_t height) {
    const Axis across(picture.width, width);
    const Axis down(picture.height, height);
    const size_t count = size_t(width) * picture.samples;
    std::vector<uint8_t> result(count * height);
    // A row serves two rows of the result at most, which are neighbours; two interpolated ones serve many.
    std::vector<uint16_t> rows[2] = {std::vector<uint16_t>(count), std::vector<uint16_t>(count)};
    int64_t held[2] = {-1, -1};
    std::vector<uint32_t> sums(count);
    for (uint32_t index = 0; index < height; index++) {
        const Axis::Place &place = down.places[index];
        std::fill(sums.begin(), sums.end(), uint32_t(1) << 23);
        for (uint32_t part = 0; part < place.count; part++) {
            const uint32_t row = place.first + part;
            std::vector<uint16_t> &scaledRow = rows[row % 2];
            if (held[row % 2] != int64_t(row)) {
                const uint8_t *from = picture.start + row * picture.stride;
                if (picture.samples == 1) {
                    scaleRow<1>(from, across, scaledRow.data());
                } else {
                    scaleRow<3>(from, across, scaledRow.data());
                }
                held[row % 2] = row;
            }
            const uint32_t weight = down.weights[place.weights + part];
            // 255 · 256 · 65536 and the half fit.
            for (size_t sample = 0; sample < count; sample++) sums[sample] += weight * scaledRow[sample];
        }
        uint8_t *output = result.data() + index * count;
        for (size_t sample = 0; sample < count; sample++) output[sample] = uint8_t(sums[sample] >> 24);
    }
    return result;
}

void mirror(std::vector<uint8_t> &pixels, uint32_t width, uint32_t height, uint32_t samples, bool columns, bool rows) {
    const size_t count = size_t(width) * samples;
    if (columns) {
        for (uint32_t index = 0; index < height; index++) {
            uint8_t *row = pixels.data() + index * count;
            std::reverse(row, row + count);
            // The samples of a pixel keep their order.
            if (samples == 3) {
                for (uint32_t pixel = 0; pixel < width; pixel++) std::swap(row[pixel * 3], row[pixel * 3 + 2]);
            }
        }
    }
    if (!rows) return;
    for (uint32_t index = 0; index < height / 2; index++) {
        uint8_t *row = pixels.data() + index * count;
        std::swap_ranges(row, row + count, pixels.data() + (height - 1 - index) * count);
    }
}

}  // namespace huizhen::codecs
