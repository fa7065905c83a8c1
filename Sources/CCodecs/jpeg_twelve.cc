#include "jpeg_twelve.h"

#include <memory>

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djeijg12.h>
#include <dcmtk/oflog/oflog.h>

namespace huizhen::codecs {

namespace {

const DJCodecParameter &parameters() {
    static const DJCodecParameter shared(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel);
    return shared;
}

/// Counts what the library would only log.
class Decoder final : public DJDecompressIJG12Bit {
public:
    Decoder() : DJDecompressIJG12Bit(parameters(), OFFalse) {}
    void emitMessage(int level) const override {
        if (level < 0) warnings++;
    }
    mutable int warnings = 0;
};

class Encoder final : public DJCompressIJG12Bit {
public:
    explicit Encoder(int quality) : DJCompressIJG12Bit(parameters(), EJM_sequential, Uint8(quality)) {}
    void emitMessage(void *, int) const override {}
};

/// Some encoders leave the last coefficient of a sequential scan at 0, which can only mean all of them.
void completeScanHeader(std::vector<uint8_t> &stream) {
    MarkerReader markers(Bytes{stream.data(), stream.size()});
    Bytes segment{};
    while (markers.next(segment) != 0xDA) {}
    if (segment.count < 3) malformed();
    uint8_t *last = stream.data() + (segment.start - stream.data()) + segment.count - 2;
    if (*last == 0) *last = 63;
}

}  // namespace

void initializeTwelveBits() {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    (void)parameters();
}

void decodeTwelveBits(const Format &format, const JPEGHeader &header, Bytes stream, uint8_t *output) {
    if (header.process == 0xC0 || header.components != 1 || format.bitsAllocated != 16) unsupported();
    if (stream.count > UINT32_MAX - 2 || format.fullByteCount() > UINT32_MAX) unsupported();
    // The library waits for more where the end marker is missing, and wants a buffer it may write to.
    std::vector<uint8_t> ended(stream.start, stream.start + stream.count);
    ended.push_back(0xFF);
    ended.push_back(0xD9);
    if (header.process == 0xC1) completeScanHeader(ended);
    Decoder decoder;
    if (decoder.init().bad()) outOfMemory();
    const OFCondition result = decoder.decode(
        ended.data(), Uint32(ended.size()), output, Uint32(format.fullByteCount()), OFFalse);
    if (result.bad() || decoder.warnings > 0) malformed();
    if (format.isSigned) extendSigns(output, format.sampleCount(), 2, header.precision);
}

size_t encodeTwelveBits(const Format &native, int quality, Bytes frame, Room room) {
    if (native.bitsStored > 12 || native.bitsStored <= 8) unsupported();
    std::vector<uint8_t> clean = cleanSamples(native, frame);
    Encoder encoder(quality);
    Uint8 *stream = nullptr;
    Uint32 count = 0;
    const OFCondition result = encoder.encode(
        Uint16(native.columns), Uint16(native.rows), EPI_Monochrome2, 1, reinterpret_cast<Uint16 *>(clean.data()),
        stream, count);
    const std::unique_ptr<Uint8[]> owner(stream);
    if (result.bad() || !stream) outOfMemory();
    if (count > room.count) noRoom();
    std::memcpy(room.start, stream, count);
    return count;
}

}  // namespace huizhen::codecs
