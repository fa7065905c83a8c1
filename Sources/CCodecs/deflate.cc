// Deflated Image Frame Compression. PS3.5 §A.4.13.
#include <zlib.h>

#include <algorithm>

#include "frame.h"

namespace huizhen::codecs {

namespace {

/// zlib's state, ended with the value.
struct Stream {
    z_stream z{};
    bool inflates;
    explicit Stream(bool inflates) : inflates(inflates) {
        const int result = inflates
            ? inflateInit2(&z, -MAX_WBITS)
            : deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
        if (result != Z_OK) outOfMemory();
    }
    ~Stream() { inflates ? (void)inflateEnd(&z) : (void)deflateEnd(&z); }
    Stream(const Stream &) = delete;
    Stream &operator=(const Stream &) = delete;

    /// Feeds as much as zlib's counters hold, until the input is used up, the output is full or the stream ends.
    int run(Bytes input, Room room) {
        size_t used = 0;
        size_t made = 0;
        while (true) {
            const uInt in = uInt(std::min<size_t>(input.count - used, 1u << 30));
            const uInt out = uInt(std::min<size_t>(room.count - made, 1u << 30));
            z.next_in = const_cast<Bytef *>(input.start + used);
            z.avail_in = in;
            z.next_out = room.start + made;
            z.avail_out = out;
            const bool isLast = used + in == input.count;
            const int result = inflates ? inflate(&z, Z_NO_FLUSH) : deflate(&z, isLast ? Z_FINISH : Z_NO_FLUSH);
            used += in - z.avail_in;
            made += out - z.avail_out;
            count = made;
            if (result != Z_OK) return result;
            if (made == room.count || (inflates && used == input.count)) return Z_BUF_ERROR;
        }
    }
    /// Bytes written.
    size_t count = 0;
};

}  // namespace

HZColour decodeDeflate(const Format &format, Bytes stream, uint8_t *output) {
    Stream inflater(true);
    const size_t wanted = format.fullByteCount();
    (void)inflater.run(stream, Room{output, wanted});
    // A full frame is a full frame, whether or not its stream goes on (some are padded to an even length).
    if (inflater.count != wanted) malformed();
    return format.colour;
}

size_t encodeDeflate(const Format &, Bytes frame, Room room) {
    Stream deflater(false);
    if (deflater.run(frame, room) != Z_STREAM_END) noRoom();
    return deflater.count;
}

}  // namespace huizhen::codecs
