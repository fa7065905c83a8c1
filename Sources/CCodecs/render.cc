#include "render.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "colourspace.h"
#include "lettering.h"
#include "video.h"

namespace huizhen::codecs {

namespace {

constexpr size_t tableLimit = 65536;

/// A table's words, borrowed and not aligned.
struct Lookup {
    HZLookup order;
    const uint8_t *words;

    bool isThere() const { return order.count > 0; }
    double highest() const { return double((1u << order.bits) - 1); }
    /// Values before the first entry have that one, values behind the last the last.
    uint16_t operator()(double value) const {
        const double index = value - order.first;
        // A number that is none is as low as can be.
        if (!(index > 0)) return load16(words);
        return load16(words + 2 * size_t(std::min(index, double(order.count - 1))));
    }
};

/// Stored values on their way to shades.
class Shades {
public:
    Shades(const HZRendering &order, Lookup modality, Lookup voi) : order(order), modality(modality), voi(voi) {}

    double value(double stored) const {
        return modality.isThere() ? modality(stored) : stored * order.slope + order.intercept;
    }

    /// Tells the values of the frame, for HZWindowRange.
    void include(double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    void setRange(double lowest, double highest) {
        low = lowest;
        high = highest;
    }

    /// The shade of a value, 0...255. PS3.3 §C.11.2.1.2 and §C.11.2.1.3.
    uint8_t shade(double value) const {
        const double level = std::clamp(brightness(value), 0.0, 1.0) * 255;
        // A number that is none is black.
        const int result = level >= 0 ? int(level + 0.5) : 0;
        return uint8_t(order.isInverted ? 255 - result : result);
    }

    /// Shade = a · stored + b, where that is all there is to it.
    bool isLinear(double &a, double &b) const {
        if (modality.isThere()) return false;
        double scale = 0;
        double zero = 0;
        switch (order.window) {
        case HZWindowRange:
            if (!(high > low)) return false;
            scale = 1 / (high - low);
            zero = low;
            break;
        case HZWindowLinear:
            if (!(order.width > 1)) return false;
            scale = 1 / (order.width - 1);
            zero = order.center - 0.5 - (order.width - 1) / 2;
            break;
        case HZWindowLinearExact:
            scale = 1 / order.width;
            zero = order.center - order.width / 2;
            break;
        case HZWindowSigmoid:
        case HZWindowTable: return false;
        }
        a = order.slope * scale * 255;
        b = (order.intercept - zero) * scale * 255;
        if (order.isInverted) {
            a = -a;
            b = 255 - b;
        }
        return std::isfinite(a) && std::isfinite(b);
    }

private:
    double brightness(double value) const {
        switch (order.window) {
        case HZWindowRange: return high > low ? (value - low) / (high - low) : 0;
        case HZWindowLinear: {
            const double middle = order.center - 0.5;
            const double half = (order.width - 1) / 2;
            if (value <= middle - half) return 0;
            if (value > middle + half) return 1;
            return (value - middle) / (order.width - 1) + 0.5;
        }
        case HZWindowLinearExact: return (value - order.center) / order.width + 0.5;
        case HZWindowSigmoid: return 1 / (1 + std::exp(-4 * (value - order.center) / order.width));
        case HZWindowTable: return std::isfinite(value) ? voi(value) / voi.highest() : 0;
        }
        return 0;
    }

    const HZRendering &order;
    const Lookup modality;
    const Lookup voi;
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
};

/// The part of a decoded frame that is shown, and how its samples are read.
struct Region {
    const Format &native;
    const HZRendering &order;
    const uint8_t *pixels;

    size_t side() const { return size_t(1) << native.bitsStored; }
    uint32_t mask() const { return uint32_t(side() - 1); }

    /// What a pattern of stored bits means.
    int64_t stored(uint64_t bits) const {
        if (!native.isSigned || native.bitsStored == 64) return int64_t(bits);
        const uint64_t sign = uint64_t(1) << (native.bitsStored - 1);
        return int64_t((bits ^ sign) - sign);
    }

    bool isPadding(int64_t value) const {
        return order.hasPadding && value >= order.paddingLow && value <= order.paddingHigh;
    }

    /// Bits of any sample up to 16 allocated.
    uint32_t bits(size_t sample) const {
        switch (native.bitsAllocated) {
        case 1: return pixels[sample / 8] >> (sample % 8) & 1;
        case 8: return uint32_t(pixels[sample] >> order.shift) & mask();
        default: return uint32_t(load16(pixels + 2 * sample) >> order.shift) & mask();
        }
    }

    /// The number of a sample of 32 or 64 bits.
    double number(size_t sample, bool &isPadded) const {
        if (order.isFloat && native.bitsAllocated == 32) {
            float value;
            std::memcpy(&value, pixels + 4 * sample, 4);
            return value;
        }
        if (order.isFloat) {
            double value;
            std::memcpy(&value, pixels + 8 * sample, 8);
            return value;
        }
        uint64_t whole = 0;
        std::memcpy(&whole, pixels + native.bytesPerSample() * sample, native.bytesPerSample());
        whole >>= order.shift;
        if (native.bitsStored < 64) whole &= (uint64_t(1) << native.bitsStored) - 1;
        const int64_t value = stored(whole);
        isPadded = isPadding(value);
        return native.isSigned ? double(value) : double(uint64_t(value));
    }

    /// Replaces every sample of the region by its entry.
    template <typename Sample>
    void replace(const uint8_t *entries, uint8_t *output) const {
        const uint32_t shift = order.shift;
        const uint32_t mask = this->mask();
        const size_t count = size_t(order.regionWidth) * native.samples;
        for (uint32_t row = 0; row < order.regionHeight; row++) {
            const uint8_t *from =
                pixels + (size_t(order.top + row) * native.columns + order.left) * native.samples * sizeof(Sample);
            for (size_t index = 0; index < count; index++) {
                Sample sample;
                std::memcpy(&sample, from + index * sizeof(Sample), sizeof(Sample));
                *output++ = entries[sample >> shift & mask];
            }
        }
    }

    void replace(const std::vector<uint8_t> &entries, uint8_t *output) const {
        if (native.bitsAllocated == 8) return replace<uint8_t>(entries.data(), output);
        if (native.bitsAllocated == 16) return replace<uint16_t>(entries.data(), output);
        for (uint32_t row = 0; row < order.regionHeight; row++) {
            const size_t from = size_t(order.top + row) * native.columns + order.left;
            for (uint32_t column = 0; column < order.regionWidth; column++) *output++ = entries[bits(from + column)];
        }
    }
};

/// Which patterns occur in the whole frame.
std::vector<uint8_t> occurring(const Region &region) {
    std::vector<uint8_t> result(region.side());
    const size_t count = region.native.pixelCount();
    if (region.native.bitsAllocated == 16) {
        for (size_t index = 0; index < count; index++) {
            result[load16(region.pixels + 2 * index) >> region.order.shift & region.mask()] = 1;
        }
    } else {
        for (size_t index = 0; index < count; index++) result[region.bits(index)] = 1;
    }
    return result;
}

/// The shade of every pattern of stored bits.
std::vector<uint8_t> shadeTable(const Region &region, Shades &shades) {
    const size_t side = region.side();
    if (region.order.window == HZWindowRange) {
        if (region.native.bitsAllocated == 1) {
            shades.setRange(0, 1);
        } else {
            const std::vector<uint8_t> occurs = occurring(region);
            for (size_t index = 0; index < side; index++) {
                const int64_t stored = region.stored(index);
                if (occurs[index] && !region.isPadding(stored)) shades.include(shades.value(double(stored)));
            }
        }
    }
    std::vector<uint8_t> table(side);
    double a = 0;
    double b = 0;
    if (!shades.isLinear(a, b)) {
        for (size_t index = 0; index < side; index++) {
            table[index] = shades.shade(shades.value(double(region.stored(index))));
        }
        return table;
    }
    // In the order of the numbers: negative ones are the upper half of the patterns.
    const int32_t half = region.native.isSigned ? int32_t(side / 2) : 0;
    const auto fill = [&](uint8_t *output, int32_t start, int32_t count) {
        for (int32_t index = 0; index < count; index++) {
            const double level = std::min(std::max(a * (start + index) + b, 0.0), 255.0);
            output[index] = uint8_t(int32_t(level + 0.5));
        }
    };
    fill(table.data(), 0, int32_t(side) - half);
    fill(table.data() + (int32_t(side) - half), -half, half);
    return table;
}

/// Samples of 32 and 64 bits one by one; there are too many patterns for a table.
void shadeNumbers(const Region &region, Shades &shades, uint8_t *output) {
    bool isPadded = false;
    if (region.order.window == HZWindowRange) {
        for (size_t index = 0; index < region.native.pixelCount(); index++) {
            const double value = shades.value(region.number(index, isPadded));
            if (!isPadded && std::isfinite(value)) shades.include(value);
        }
    }
    for (uint32_t row = 0; row < region.order.regionHeight; row++) {
        const size_t from = size_t(region.order.top + row) * region.native.columns + region.order.left;
        for (uint32_t column = 0; column < region.order.regionWidth; column++) {
            *output++ = shades.shade(shades.value(region.number(from + column, isPadded)));
        }
    }
}

/// The tables that lie before the frame.
struct Tables {
    Lookup modality;
    Lookup voi;
    Lookup palette[3];
    Bytes profile;
    Bytes overlay;
    Bytes text;

    Tables(const HZRendering &order, Bytes bytes) {
        if (bytes.count != tableByteCount(order)) throw Failure{HZCodecStatusMisuse};
        size_t offset = 0;
        const auto take = [&](const HZLookup &lookup) {
            if (lookup.count > tableLimit || (lookup.count > 0 && (lookup.bits < 1 || lookup.bits > 16))) {
                throw Failure{HZCodecStatusMisuse};
            }
            const Lookup taken{lookup, bytes.start + offset};
            offset += size_t(lookup.count) * 2;
            return taken;
        };
        modality = take(order.modality);
        voi = take(order.voi);
        for (int color = 0; color < 3; color++) palette[color] = take(order.palette[color]);
        profile = Bytes{bytes.start + offset, order.profileByteCount};
        overlay = Bytes{bytes.start + offset + order.profileByteCount, order.overlayByteCount};
        text = Bytes{bytes.start + bytes.count - order.textByteCount, order.textByteCount};
        if (order.window == HZWindowTable && !voi.isThere()) throw Failure{HZCodecStatusMisuse};
    }

    bool hasPalette() const { return palette[0].isThere() && palette[1].isThere() && palette[2].isThere(); }
};

void check(const HZRendering &order, const Format &claimed, const Format &native) {
    const bool isRegion = order.regionWidth > 0 && order.regionHeight > 0 && order.left < native.columns
        && order.top < native.rows && order.regionWidth <= native.columns - order.left
        && order.regionHeight <= native.rows - order.top;
    const bool isPicture = order.pictureWidth > 0 && order.pictureHeight > 0
        && order.pictureWidth <= HZ_PICTURE_SIDE_LIMIT && order.pictureHeight <= HZ_PICTURE_SIDE_LIMIT;
    const bool isWindow = order.window == HZWindowRange || order.window == HZWindowTable || order.width > 0;
    if (!claimed.isValid() || !native.isValid() || !isRegion || !isPicture || !isWindow
        || order.shift + native.bitsStored > native.bitsAllocated || order.quality < 1 || order.quality > 100
        || native.isPlanar) {
        throw Failure{HZCodecStatusMisuse};
    }
    const bool isOverlay = order.overlayByteCount == 0 || order.overlayByteCount == (native.pixelCount() + 7) / 8;
    // Only samples that nobody decoded still have the bits that are not stored.
    const bool areBits = order.overlayBits == 0
        || (order.codec == HZCodecNative && native.samples == 1 && native.bitsAllocated == 16
            && (order.overlayBits & (((1u << native.bitsStored) - 1) << order.shift)) == 0);
    if (!isOverlay || !areBits || order.textByteCount > HZ_PICTURE_TEXT_LIMIT) throw Failure{HZCodecStatusMisuse};
    if (native.samples != 1 && (native.samples != 3 || native.colour != HZColourRGB)) unsupported();
    if (native.samples == 3 && (native.isSigned || native.bitsAllocated > 16)) unsupported();
}

/// 8 bits of every sample of RGB.
std::vector<uint8_t> narrowTable(const Region &region) {
    std::vector<uint8_t> table(region.side());
    const double highest = double(region.side() - 1);
    for (size_t index = 0; index < table.size(); index++) table[index] = uint8_t(double(index) * 255 / highest + 0.5);
    return table;
}

/// One byte of each color for every pattern of stored bits.
std::vector<uint8_t> paletteTable(const Region &region, const Lookup &palette) {
    std::vector<uint8_t> table(region.side());
    for (size_t index = 0; index < table.size(); index++) {
        const uint32_t entry = palette(double(region.stored(index)));
        const uint32_t bits = palette.order.bits;
        table[index] = uint8_t(bits > 8 ? entry >> (bits - 8) : entry << (8 - bits));
    }
    return table;
}

void color(const Region &region, const Tables &tables, uint8_t *output) {
    if (region.native.bitsAllocated > 16) unsupported();
    const size_t count = size_t(region.order.regionWidth) * region.order.regionHeight;
    std::vector<uint8_t> plane(count);
    for (int sample = 0; sample < 3; sample++) {
        region.replace(paletteTable(region, tables.palette[sample]), plane.data());
        for (size_t index = 0; index < count; index++) output[index * 3 + sample] = plane[index];
    }
}

/// The samples of the region in 8 bits, without gaps.
std::vector<uint8_t> reduced(const Region &region, const Tables &tables) {
    const Format &native = region.native;
    const size_t count = size_t(region.order.regionWidth) * region.order.regionHeight;
    std::vector<uint8_t> result(count * (native.samples == 3 || tables.hasPalette() ? 3 : 1));
    if (native.samples == 3) {
        region.replace(narrowTable(region), result.data());
    } else if (tables.hasPalette()) {
        color(region, tables, result.data());
    } else {
        Shades shades(region.order, tables.modality, tables.voi);
        if (native.bitsAllocated > 16) {
            shadeNumbers(region, shades, result.data());
        } else {
            region.replace(shadeTable(region, shades), result.data());
        }
    }
    return result;
}

/// Draws what overlays there are. PS3.3 §C.9.2.
void drawOverlays(const Region &region, Bytes overlay, uint32_t samples, uint8_t *output) {
    const HZRendering &order = region.order;
    for (uint32_t row = 0; row < order.regionHeight; row++) {
        const size_t from = size_t(order.top + row) * region.native.columns + order.left;
        for (uint32_t column = 0; column < order.regionWidth; column++, output += samples) {
            const size_t pixel = from + column;
            const bool isSet = (overlay.count > 0 && (overlay.start[pixel / 8] >> (pixel % 8) & 1))
                || (order.overlayBits != 0 && (load16(region.pixels + 2 * pixel) & order.overlayBits));
            if (isSet) std::fill(output, output + samples, uint8_t(255));
        }
    }
}

}  // namespace

size_t tableByteCount(const HZRendering &order) {
    const HZLookup lookups[] = {order.modality, order.voi, order.palette[0], order.palette[1], order.palette[2]};
    size_t result = size_t(order.profileByteCount) + order.overlayByteCount + order.textByteCount;
    for (const HZLookup &lookup : lookups) result += size_t(lookup.count) * 2;
    return result;
}

void draw(const HZRendering &order, Bytes tableBytes, Bytes frame, Drawing &drawing) {
    const Format claimed(order.claimed);
    const Format native(order.native);
    check(order, claimed, native);
    const Tables tables(order, tableBytes);
    const uint8_t *pixels = frame.start;
    const bool isPlain = order.codec == HZCodecNative && claimed.samples == 1;
    if (isPlain) {
        if (frame.count < claimed.fullByteCount()) malformed();
    } else {
        drawing.decoded.resize(native.fullByteCount());
        const HZCodecStatus status = hz_frame_decode(
            order.codec, &claimed, &native, frame.start, frame.count, drawing.decoded.data(), drawing.decoded.size());
        if (status != HZCodecStatusOK) throw Failure{status};
        pixels = drawing.decoded.data();
    }
    const Region region{native, order, pixels};
    const bool isDrawnOn = tables.overlay.count > 0 || order.overlayBits != 0;
    const bool isConverted = order.colourSpace != HZColourSpaceOwn && (native.samples == 3 || tables.hasPalette());
    const bool isWhole =
        native.samples == 3 && native.bitsAllocated == 8 && native.bitsStored == 8 && !isDrawnOn && !isConverted;
    Picture &picture = drawing.picture;
    picture = Picture{nullptr, order.regionWidth, order.regionHeight, native.samples, 0};
    std::vector<uint8_t> &own = drawing.own;
    if (isWhole) {
        // Nothing is to be done to the samples: cut by its rows alone.
        picture.stride = native.rowSampleCount();
        picture.start = pixels + order.top * picture.stride + size_t(order.left) * 3;
    } else {
        own = reduced(region, tables);
        if (tables.hasPalette()) picture.samples = 3;
        if (isDrawnOn) drawOverlays(region, tables.overlay, picture.samples, own.data());
        picture.start = own.data();
        picture.stride = picture.rowByteCount();
    }
    const bool isMirrored = order.mirrorsColumns || order.mirrorsRows;
    if (order.pictureWidth != picture.width || order.pictureHeight != picture.height || (isMirrored && isWhole)) {
        own = scaled(picture, order.pictureWidth, order.pictureHeight);
        picture = Picture{own.data(), order.pictureWidth, order.pictureHeight, picture.samples, 0};
        picture.stride = picture.rowByteCount();
    }
    if (isMirrored) {
        mirror(own, picture.width, picture.height, picture.samples, order.mirrorsColumns, order.mirrorsRows);
    }
    drawing.profile = tables.profile;
    if (isConverted) {
        drawing.converted =
            convertColours(own.data(), size_t(picture.width) * picture.height, tables.profile, order.colourSpace);
        drawing.profile = Bytes{drawing.converted.data(), drawing.converted.size()};
    }
    if (tables.text.count > 0) {
        if (picture.start != own.data()) {
            own.resize(picture.rowByteCount() * picture.height);
            for (uint32_t row = 0; row < picture.height; row++) {
                std::memcpy(
                    own.data() + row * picture.rowByteCount(), picture.start + row * picture.stride, picture.rowByteCount());
            }
            picture.start = own.data();
            picture.stride = picture.rowByteCount();
        }
        writeText(own.data(), picture.width, picture.height, picture.samples, tables.text);
    }
}

size_t render(const HZRendering &order, Bytes tables, Bytes frame, Room room) {
    Drawing drawing{};
    draw(order, tables, frame, drawing);
    switch (order.coding) {
    case HZPictureJPEG: return encodeJPEGPicture(drawing.picture, order.quality, drawing.profile, room);
    case HZPicturePNG: return encodePNGPicture(drawing.picture, drawing.profile, room);
    case HZPictureGIF: return encodeGIFPicture(drawing.picture, room);
    case HZPictureVideo: break;
    }
    throw Failure{HZCodecStatusMisuse};
}

void warmUpRendering() {
    std::vector<uint8_t> frame(16 * 16 * 3);
    for (size_t index = 0; index < frame.size(); index++) frame[index] = uint8_t(index * 37 % 251);
    std::vector<uint8_t> output(64 << 10);
    for (const uint16_t samples : {uint16_t(1), uint16_t(3)}) {
        for (const HZPictureCoding coding : {HZPictureJPEG, HZPicturePNG, HZPictureGIF}) {
            HZRendering order{};
            order.claimed = {16, 16, samples, 8, 8, false, false, samples == 3 ? HZColourRGB : HZColourOther};
            order.native = order.claimed;
            order.slope = 1;
            order.regionWidth = order.regionHeight = 16;
            order.pictureWidth = 24;
            order.pictureHeight = 32;
            order.coding = coding;
            order.quality = 90;
            order.colourSpace = HZColourSpaceAdobeRGB;
            (void)render(order, Bytes{nullptr, 0}, Bytes{frame.data(), frame.size()}, Room{output.data(), output.size()});
            try {
                // Wide enough for a letter.
                const uint8_t text[] = {'a', 0xE6, 0xBC, 0xA2, 0, 0, 0, 0};
                order.textByteCount = sizeof text;
                (void)render(
                    order, Bytes{text, sizeof text}, Bytes{frame.data(), frame.size()}, Room{output.data(), output.size()});
            } catch (const Failure &) {
                // No font.
            }
            order.textByteCount = 0;
            try {
                (void)render(order, Bytes{nullptr, 0}, Bytes{frame.data(), frame.size()}, Room{output.data(), 16});
            } catch (const Failure &) {
                // The way errors take.
            }
        }
    }
    warmUpVideo();
}

}  // namespace huizhen::codecs
