// Words written into pictures.
#pragma once

#include "picture.h"

namespace huizhen::codecs {

/// Opens the fonts there are; once, before anything is written, while files can still be read.
void openFonts();

/// Writes text into a picture whose rows have no gaps.
///
/// `text` is UTF-8: four blocks of lines, each block ended by a zero, lines parted by a line feed. The blocks go to the
/// upper left, upper right, lower left and lower right corner; where they would meet, one below the other, and what
/// then does not fit is left out, a sign of it in place. Anything that is no character is left out.
///
/// Throws HZCodecStatusUnsupported where no font was opened, HZCodecStatusMisuse for another number of blocks.
void writeText(uint8_t *pixels, uint32_t width, uint32_t height, uint32_t samples, Bytes text);

}  // namespace huizhen::codecs
