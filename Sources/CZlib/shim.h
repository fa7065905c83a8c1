#include <zlib.h>

// inflateInit2 is a macro, which the importer cannot see. windowBits < 0 means a raw deflate stream, which is what
// PS3.5 Annex A.5 prescribes for deflated transfer syntaxes.
static inline int huizhen_inflate_init(z_stream *stream, int windowBits) {
    return inflateInit2(stream, windowBits);
}
static inline int huizhen_deflate_init(z_stream *stream, int level, int windowBits) {
    return deflateInit2(stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY);
}
