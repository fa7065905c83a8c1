// Colours of pictures in another space.
#pragma once

#include "frame.h"

namespace huizhen::codecs {

/// Brings `count` pixels of RGB, of 8 bits, into a colour space; returns its profile.
///
/// - own: the pixels' profile; sRGB without one. `malformed` for one that is none of RGB.
std::vector<uint8_t> convertColours(uint8_t *pixels, size_t count, Bytes own, HZColourSpace space);

}  // namespace huizhen::codecs
