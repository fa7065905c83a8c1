#include "jpeg_header.h"

#include <algorithm>

namespace huizhen::codecs {

uint8_t MarkerReader::next(Bytes &segment) {
    if (end - at < 2 || at[0] != 0xFF) malformed();
    while (at != end && *at == 0xFF) at++;
    if (at == end) malformed();
    const uint8_t marker = *at++;
    segment = Bytes{at, 0};
    const bool isAlone = marker == 0xD8 || marker == 0xD9 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7);
    if (isAlone) return marker;
    if (marker == 0 || end - at < 2) malformed();
    const size_t length = size_t(at[0]) << 8 | at[1];
    if (length < 2 || size_t(end - at) < length) malformed();
    segment = Bytes{at + 2, length - 2};
    at += length;
    return marker;
}

JPEGHeader JPEGHeader::read(Bytes stream) {
    JPEGHeader header;
    MarkerReader markers(stream);
    Bytes segment{};
    if (markers.next(segment) != 0xD8) malformed();
    while (true) {
        const uint8_t marker = markers.next(segment);
        if (marker == 0xE0 && segment.count >= 5 && std::memcmp(segment.start, "JFIF", 5) == 0) {
            header.hasJFIF = true;
        } else if (marker == 0xEE && segment.count >= 12 && std::memcmp(segment.start, "Adobe", 5) == 0) {
            header.adobeTransform = segment.start[11];
        } else if (marker == 0xDA || marker == 0xD9) {
            malformed();
        } else if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
            if (marker > 0xC3) unsupported();
            header.process = marker;
            break;
        }
    }
    if (segment.count < 6) malformed();
    const uint8_t *at = segment.start;
    header.precision = at[0];
    header.rows = uint32_t(at[1]) << 8 | at[2];
    header.columns = uint32_t(at[3]) << 8 | at[4];
    header.components = at[5];
    // Rows of 0 stand for a later DNL marker, which nobody writes.
    if (header.rows == 0) unsupported();
    if (header.columns == 0 || header.components == 0) malformed();
    if (header.components > 4) unsupported();
    if (segment.count < 6 + 3 * size_t(header.components)) malformed();
    for (uint32_t index = 0; index < header.components; index++) {
        const uint8_t *entry = at + 6 + 3 * index;
        header.component[index] = {entry[0], uint8_t(entry[1] >> 4), uint8_t(entry[1] & 15)};
        if (entry[1] >> 4 == 0 || entry[1] >> 4 > 4 || (entry[1] & 15) == 0 || (entry[1] & 15) > 4) malformed();
    }
    return header;
}

HZColour JPEGHeader::colour() const {
    if (components != 3) return HZColourOther;
    if (adobeTransform == 0) return HZColourRGB;
    if (adobeTransform > 0) return HZColourYBRFull;
    if (component[0].identifier == 'R' && component[1].identifier == 'G' && component[2].identifier == 'B') {
        return HZColourRGB;
    }
    // Less sampling of the second component alone makes sense for chroma only.
    const bool isSubsampled = component[0].horizontal > component[1].horizontal
        || component[0].vertical > component[1].vertical;
    if (isSubsampled || hasJFIF) return HZColourYBRFull;
    return HZColourOther;
}

}  // namespace huizhen::codecs
