// The main header of a JPEG 2000 codestream, read before any library sees it. ISO 15444-1 Annex A.
#pragma once

#include "frame.h"

namespace huizhen::codecs {

struct CodestreamHeader {
    /// Without the boxes some encoders leave around it.
    Bytes codestream{};
    uint32_t rows = 0;
    uint32_t columns = 0;
    uint32_t components = 0;
    uint32_t precision = 0;
    bool isSigned = false;
    bool usesColourTransform = false;
    /// Whether blocks are coded as ISO 15444-15 has it.
    bool isHighThroughput = false;

    /// Throws `malformed`, or `unsupported` for subsampled components, too many tiles, or components of several kinds.
    static CodestreamHeader read(Bytes stream);
};

}  // namespace huizhen::codecs
