// OpenJPH, in one thread.
#include "htj2k.h"

#include <algorithm>
#include <cstdio>
#include <mutex>

#include <openjph/ojph_arch.h>
#include <openjph/ojph_codestream.h>
#include <openjph/ojph_file.h>
#include <openjph/ojph_mem.h>
#include <openjph/ojph_message.h>
#include <openjph/ojph_params.h>

namespace huizhen::codecs {

namespace {

/// Without a stream for errors the library goes on after them, without one for warnings it crashes; this one takes
/// everything and keeps nothing.
void configureMessages() {
    static std::once_flag once;
    std::call_once(once, [] {
        std::FILE *nowhere = fopencookie(nullptr, "w", cookie_io_functions_t{});
        if (!nowhere) outOfMemory();
        ojph::set_info_stream(nowhere);
        ojph::set_warning_stream(nowhere);
        ojph::set_error_stream(nowhere);
    });
}

/// Writes into the caller's room.
class Output final : public ojph::outfile_base {
public:
    explicit Output(Room room) : room(room) {}
    size_t write(const void *from, size_t count) override {
        if (room.count - at < count) noRoom();
        std::memcpy(room.start + at, from, count);
        at += count;
        return count;
    }
    ojph::si64 tell() override { return ojph::si64(at); }

private:
    Room room;
    size_t at = 0;
};

}  // namespace

void SampleRange::store(
    const int32_t *values, size_t count, size_t bytesPerSample, size_t stride, uint8_t *output) const {
    const size_t step = stride * bytesPerSample;
    for (size_t index = 0; index < count; index++, output += step) {
        const int32_t value = std::clamp(values[index], lowest, highest);
        if (bytesPerSample == 1) {
            *output = uint8_t(extended(uint32_t(value), precision, isExtended));
        } else {
            store16(output, extended(uint32_t(value), precision, isExtended));
        }
    }
}

void spread(
    const Format &native, const std::vector<uint8_t> &clean, uint32_t sample, size_t first, size_t count, int32_t *to) {
    const size_t stride = native.samples;
    size_t at = first * stride + sample;
    if (native.bitsStored > 8) {
        for (size_t index = 0; index < count; index++, at += stride) {
            const uint16_t value = load16(clean.data() + 2 * at);
            to[index] = native.isSigned ? int16_t(extended(value, native.bitsStored, true)) : value;
        }
        return;
    }
    for (size_t index = 0; index < count; index++, at += stride) {
        to[index] = native.isSigned ? int16_t(extended(clean[at], native.bitsStored, true)) : clean[at];
    }
}

uint32_t decompositionLevels(const Format &native) {
    uint32_t levels = 0;
    while (levels < 5 && (std::min(native.rows, native.columns) >> (levels + 1)) > 0) levels++;
    return levels;
}

void decodeHighThroughput(const Format &format, const CodestreamHeader &header, uint8_t *output) {
    configureMessages();
    ojph::mem_infile input;
    input.open(header.codestream.start, header.codestream.count);
    ojph::codestream codestream;
    codestream.read_headers(&input);
    const ojph::param_siz size = codestream.access_siz();
    const uint32_t components = size.get_num_components();
    if (components != header.components) differs();
    for (uint32_t index = 0; index < components; index++) {
        if (size.get_recon_width(index) != format.columns || size.get_recon_height(index) != format.rows) differs();
    }
    const bool isPlanar = components == 1 || !codestream.access_cod().is_using_color_transform();
    codestream.set_planar(isPlanar);
    codestream.create();
    const SampleRange range(header.precision, header.isSigned, format.isSigned);
    const size_t bytesPerSample = format.bytesPerSample();
    size_t lines[4] = {};
    const size_t total = size_t(components) * format.rows;
    for (size_t count = 0; count < total; count++) {
        ojph::ui32 component = 0;
        const ojph::line_buf *line = codestream.pull(component);
        if (!line || component >= components || lines[component] >= format.rows) malformed();
        if (line->size < format.columns) malformed();
        const size_t row = lines[component]++;
        range.store(
            line->i32, format.columns, bytesPerSample, components,
            output + (row * format.rowSampleCount() + component) * bytesPerSample);
    }
    codestream.close();
}

size_t encodeHTJ2K(
    const Format &native, HZColour streamColour, const HZEncoding &encoding, Bytes frame, Room room) {
    if (native.bitsAllocated != 8 && native.bitsAllocated != 16) unsupported();
    configureMessages();
    const std::vector<uint8_t> clean = cleanSamples(native, frame);
    const bool isTransformed = streamColour == HZColourYBRRCT || streamColour == HZColourYBRICT;
    ojph::codestream codestream;
    ojph::param_siz size = codestream.access_siz();
    size.set_image_extent(ojph::point(native.columns, native.rows));
    size.set_num_components(native.samples);
    for (uint32_t index = 0; index < native.samples; index++) {
        size.set_component(index, ojph::point(1, 1), native.bitsStored, native.isSigned);
    }
    size.set_image_offset(ojph::point(0, 0));
    size.set_tile_size(ojph::size(native.columns, native.rows));
    size.set_tile_offset(ojph::point(0, 0));
    ojph::param_cod coding = codestream.access_cod();
    coding.set_num_decomposition(decompositionLevels(native));
    coding.set_block_dims(64, 64);
    coding.set_progression_order("RPCL");
    coding.set_color_transform(isTransformed);
    coding.set_reversible(encoding.quantisation == 0);
    if (encoding.quantisation != 0) codestream.access_qcd().set_irrev_quant(encoding.quantisation);
    const bool isPlanar = !isTransformed;
    codestream.set_planar(isPlanar);
    Output output(room);
    codestream.write_headers(&output);
    const size_t outer = isPlanar ? native.samples : native.rows;
    const size_t inner = isPlanar ? native.rows : native.samples;
    ojph::ui32 component = 0;
    ojph::line_buf *line = codestream.exchange(nullptr, component);
    for (size_t first = 0; first < outer; first++) {
        for (size_t second = 0; second < inner; second++) {
            const size_t row = isPlanar ? second : first;
            if (!line || line->size < native.columns) unsupported();
            spread(native, clean, component, row * native.columns, native.columns, line->i32);
            line = codestream.exchange(line, component);
        }
    }
    codestream.flush();
    const size_t written = size_t(output.tell());
    codestream.close();
    return written;
}

}  // namespace huizhen::codecs
