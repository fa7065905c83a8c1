// Native frames in other layouts and colours.
#pragma once

#include "frame.h"

namespace huizhen::codecs {

/// Samples by plane to samples by pixel; the buffers do not overlap.
void interleave(const Format &format, const uint8_t *planes, uint8_t *pixels);

/// Samples by pixel to samples by plane; the buffers do not overlap.
void separate(const Format &format, const uint8_t *pixels, uint8_t *planes);

/// YBR_FULL to RGB in place, by pixel, unsigned, 8 or 16 bits allocated. PS3.3 §C.7.6.3.1.2.
void convertToRGB(const Format &format, uint8_t *pixels);

/// RGB to YBR_FULL in place, likewise.
void convertToYBR(const Format &format, uint8_t *pixels);

/// Native YBR_FULL_422 (Y1 Y2 CB CR) to YBR_FULL by pixel: CB and CR of a pair serve both.
void expand422(const Format &format, const uint8_t *pairs, uint8_t *pixels);

}  // namespace huizhen::codecs
