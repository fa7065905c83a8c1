// JPEG with a DCT and 12 bits: DCMTK's build of the Independent JPEG Group's library.
#pragma once

#include "jpeg_header.h"

namespace huizhen::codecs {

void initializeTwelveBits();
void decodeTwelveBits(const Format &format, const JPEGHeader &header, Bytes stream, uint8_t *output);
size_t encodeTwelveBits(const Format &native, int quality, Bytes frame, Room room);

}  // namespace huizhen::codecs
