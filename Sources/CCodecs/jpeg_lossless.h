// JPEG lossless (process 14, all predictors): ISO 10918-1 Annex H.
#pragma once

#include "jpeg_header.h"

namespace huizhen::codecs {

void decodeLossless(const Format &format, const JPEGHeader &header, Bytes stream, uint8_t *output);

}  // namespace huizhen::codecs
