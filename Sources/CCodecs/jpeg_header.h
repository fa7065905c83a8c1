// The headers of a JPEG stream, read before any library sees it. ISO 10918-1 Annex B.
#pragma once

#include "frame.h"

namespace huizhen::codecs {

struct JPEGHeader {
    /// 0xC0 baseline, 0xC1 extended, 0xC2 progressive, 0xC3 lossless; others are refused.
    uint8_t process = 0;
    uint32_t precision = 0;
    uint32_t rows = 0;
    uint32_t columns = 0;
    uint32_t components = 0;
    struct Component {
        uint8_t identifier;
        uint8_t horizontal;
        uint8_t vertical;
    } component[4] = {};
    bool hasJFIF = false;
    /// Adobe's transform: 0 none, 1 YCbCr; -1 without that marker.
    int adobeTransform = -1;

    /// Reads up to the frame header. Throws `malformed` or `unsupported`.
    static JPEGHeader read(Bytes stream);

    bool isLossless() const { return process == 0xC3; }
    /// What the markers say; HZColourOther when they do not, and with other than three components.
    HZColour colour() const;
};

/// Walks the marker segments of a stream.
class MarkerReader {
public:
    explicit MarkerReader(Bytes stream) : at(stream.start), end(stream.start + stream.count) {}

    /// The next marker; `segment` its parameters, empty for one without. Throws `malformed` at the end.
    uint8_t next(Bytes &segment);
    /// Where the last segment ended.
    const uint8_t *position() const { return at; }
    void skipTo(const uint8_t *there) { at = there; }

private:
    const uint8_t *at;
    const uint8_t *end;
};

}  // namespace huizhen::codecs
