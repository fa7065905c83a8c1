// Pictures that move. ISO/IEC 14496-10.
#pragma once

#include "frame.h"

namespace huizhen::codecs {

/// The most bytes of a group; 0 for one that makes no sense.
size_t videoByteLimit(const HZVideo &video);

/// As `hz_video_encode`. Returns the bytes written.
size_t encodeVideo(const HZVideo &video, Bytes input, Room room);

/// Makes a small group, so that the library asks the system for nothing later.
void warmUpVideo();

}  // namespace huizhen::codecs
