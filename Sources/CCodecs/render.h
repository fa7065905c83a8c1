// One frame as a picture for a screen. PS3.3 §C.11, PS3.4 §N.2.
#pragma once

#include "frame.h"

namespace huizhen::codecs {

/// Bytes of the tables and the profile that precede the frame.
size_t tableByteCount(const HZRendering &rendering);

/// Decodes the frame, makes 8 bits of its samples, cuts, scales and mirrors, and encodes. Returns the bytes written.
size_t render(const HZRendering &rendering, Bytes tables, Bytes frame, Room room);

/// Makes one small picture of each kind, so that no library asks the system for something later.
void warmUpRendering();

}  // namespace huizhen::codecs
