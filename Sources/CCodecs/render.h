// One frame as a picture for a screen. PS3.3 §C.11, PS3.4 §N.2.
#pragma once

#include "picture.h"

namespace huizhen::codecs {

/// Bytes of the tables and the profile that precede the frame.
size_t tableByteCount(const HZRendering &rendering);

/// A picture with the memory that its pixels and its profile lie in, or were borrowed from.
struct Drawing {
    Picture picture;
    Bytes profile;
    std::vector<uint8_t> decoded;
    std::vector<uint8_t> own;
    std::vector<uint8_t> converted;
};

/// Decodes the frame, makes 8 bits of its samples, cuts, scales, mirrors, converts and writes what is to be written.
///
/// The drawing may borrow from the tables and the frame.
void draw(const HZRendering &rendering, Bytes tables, Bytes frame, Drawing &drawing);

/// Draws the frame and encodes the picture. Returns the bytes written.
size_t render(const HZRendering &rendering, Bytes tables, Bytes frame, Room room);

/// Makes one small picture of each kind, so that no library asks the system for something later.
void warmUpRendering();

}  // namespace huizhen::codecs
