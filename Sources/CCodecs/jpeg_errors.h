// libjpeg-turbo's way out: it is compiled as C and left by longjmp on errors.
#pragma once

#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include <jerror.h>

#include "CCodecs.h"

namespace huizhen::codecs {

/// The library's error manager with the way out. Nothing with a destructor may live between setjmp and longjmp.
struct JPEGErrors {
    jpeg_error_mgr manager;
    std::jmp_buf exit;
    HZCodecStatus status;
};

/// Makes `errors` ready for a `setjmp`; the library says nothing on the terminal.
void prepare(JPEGErrors &errors);

}  // namespace huizhen::codecs
