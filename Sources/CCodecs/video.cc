// A group of a video's pictures as H.264 of the Constrained Baseline profile, by openh264. ISO/IEC 14496-10.
#include "video.h"

#include <wels/codec_api.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>

#include "render.h"

namespace huizhen::codecs {

namespace {

/// Coarsest quantiser there is.
constexpr int quantiserLimit = 51;

/// The quantiser of a quality from 1 to 100: 12 to 45. Finer ones make of grain more bytes than the encoder has room for.
int quantiser(int quality) { return 12 + (100 - quality) / 3; }

size_t blocks(uint32_t side) { return (size_t(side) + 15) / 16; }

bool isValid(const HZVideo &video) {
    const auto isSide = [](uint32_t side) {
        return side >= HZ_VIDEO_SIDE_MINIMUM && side <= HZ_PICTURE_SIDE_LIMIT && side % 2 == 0;
    };
    return video.frameCount >= 1 && video.frameCount <= HZ_VIDEO_FRAME_LIMIT && isSide(video.width)
        && isSide(video.height) && blocks(video.width) * blocks(video.height) <= HZ_VIDEO_MACROBLOCK_LIMIT
        && video.framesPerSecond > 0 && std::isfinite(video.framesPerSecond);
}

/// The lowest level, from 4.1 on, that such pictures fit into. §A.3.1, Table A-1. Below it bit rates are bounded so that
/// grain goes past them.
ELevelIdc level(const HZVideo &video) {
    struct Bounds {
        ELevelIdc level;
        double blocks;
        double blocksPerSecond;
    };
    constexpr Bounds levels[] = {
        {LEVEL_4_1, 8192, 245760}, {LEVEL_4_2, 8704, 522240}, {LEVEL_5_0, 22080, 589824}, {LEVEL_5_1, 36864, 983040}};
    const double width = double(blocks(video.width));
    const double height = double(blocks(video.height));
    for (const Bounds &bounds : levels) {
        if (width * height <= bounds.blocks && std::max(width, height) <= std::sqrt(8 * bounds.blocks)
            && width * height * video.framesPerSecond <= bounds.blocksPerSecond) {
            return bounds.level;
        }
    }
    return LEVEL_5_2;
}

/// Brightness, then both colour differences at half the columns and rows; limited range.
struct Planes {
    std::vector<uint8_t> samples;

    uint8_t *luma() { return samples.data(); }
    uint8_t *chroma(const HZVideo &video, int which) {
        const size_t count = size_t(video.width) * video.height;
        return samples.data() + count + (which ? count / 4 : 0);
    }
};

void fillGrey(const Picture &picture, const HZVideo &video, Planes &planes) {
    uint8_t levels[256];
    for (int shade = 0; shade < 256; shade++) levels[shade] = uint8_t(16 + (219 * shade + 127) / 255);
    for (uint32_t row = 0; row < video.height; row++) {
        const uint8_t *from = picture.start + std::min(row, picture.height - 1) * picture.stride;
        uint8_t *to = planes.luma() + size_t(row) * video.width;
        for (uint32_t column = 0; column < video.width; column++) to[column] = levels[from[std::min(column, picture.width - 1)]];
    }
    const size_t count = size_t(video.width) * video.height / 2;
    std::fill_n(planes.chroma(video, 0), count, uint8_t(128));
}

uint8_t rounded(float value) { return uint8_t(value + 0.5f); }

/// ITU-R BT.709-6 §3 in 8 bits. Colour differences are sited where H.264 has them unless it is told otherwise: on the even
/// columns, between two rows. §E.2.1, chroma_sample_loc_type 0.
void fillColour(const Picture &picture, const HZVideo &video, Planes &planes) {
    constexpr float red = 0.2126f;
    constexpr float blue = 0.0722f;
    constexpr float green = 1 - red - blue;
    const size_t half = video.width / 2;
    // Of two rows together, a column more on the left.
    std::vector<float> differences[2] = {std::vector<float>(video.width + 1), std::vector<float>(video.width + 1)};
    for (uint32_t row = 0; row < video.height; row++) {
        const uint8_t *from = picture.start + std::min(row, picture.height - 1) * picture.stride;
        uint8_t *to = planes.luma() + size_t(row) * video.width;
        const bool isSecond = row % 2 == 1;
        for (uint32_t column = 0; column < video.width; column++) {
            const uint8_t *pixel = from + size_t(std::min(column, picture.width - 1)) * 3;
            const float brightness = red * pixel[0] + green * pixel[1] + blue * pixel[2];
            to[column] = rounded(16 + brightness * (219.0f / 255));
            const float pair[2] = {
                (float(pixel[2]) - brightness) * (112.0f / 255 / (1 - blue)),
                (float(pixel[0]) - brightness) * (112.0f / 255 / (1 - red))};
            for (int which = 0; which < 2; which++) {
                float &sum = differences[which][column + 1];
                sum = (isSecond ? sum : 0) + pair[which];
            }
        }
        if (!isSecond) continue;
        for (int which = 0; which < 2; which++) {
            std::vector<float> &sums = differences[which];
            sums[0] = sums[1];
            uint8_t *output = planes.chroma(video, which) + size_t(row / 2) * half;
            for (size_t column = 0; column < half; column++) {
                const float *middle = &sums[2 * column + 1];
                output[column] = rounded(128 + (middle[-1] + 2 * middle[0] + middle[1]) / 8);
            }
        }
    }
}

struct Destroy {
    void operator()(ISVCEncoder *encoder) const {
        encoder->Uninitialize();
        WelsDestroySVCEncoder(encoder);
    }
};
using Encoder = std::unique_ptr<ISVCEncoder, Destroy>;

Encoder opened(const HZVideo &video, int quantiser) {
    ISVCEncoder *made = nullptr;
    if (WelsCreateSVCEncoder(&made) != 0 || !made) outOfMemory();
    Encoder encoder(made);
    int quiet = WELS_LOG_QUIET;
    encoder->SetOption(ENCODER_OPTION_TRACE_LEVEL, &quiet);
    SEncParamExt order;
    if (encoder->GetDefaultParams(&order) != cmResultSuccess) unsupported();
    order.iUsageType = CAMERA_VIDEO_REAL_TIME;
    order.iPicWidth = int(video.width);
    order.iPicHeight = int(video.height);
    // The same fineness throughout, whatever it takes: nothing is skipped, smoothed or taken for background.
    order.iRCMode = RC_OFF_MODE;
    order.bEnableFrameSkip = order.bEnableDenoise = order.bEnableBackgroundDetection = false;
    order.bEnableAdaptiveQuant = order.bEnableSceneChangeDetect = order.bEnableLongTermReference = false;
    order.iMinQp = 0;
    order.iMaxQp = quantiserLimit;
    order.iComplexityMode = HIGH_COMPLEXITY;
    order.fMaxFrameRate = float(std::clamp(video.framesPerSecond, 1.0, 60.0));
    order.iTemporalLayerNum = order.iSpatialLayerNum = 1;
    order.uiIntraPeriod = 0;
    order.iNumRefFrame = 1;
    order.eSpsPpsIdStrategy = CONSTANT_ID;
    order.bEnableFrameCroppingFlag = true;
    // Arithmetic coding writes past the library's buffer where grain is coarse; this coding looks before each block.
    order.iEntropyCodingModeFlag = 0;
    // No thread: the sandbox has none to give.
    order.iMultipleThreadIdc = 1;
    SSpatialLayerConfig &layer = order.sSpatialLayers[0];
    layer.iVideoWidth = order.iPicWidth;
    layer.iVideoHeight = order.iPicHeight;
    layer.fFrameRate = order.fMaxFrameRate;
    layer.uiProfileIdc = PRO_BASELINE;
    layer.uiLevelIdc = level(video);
    layer.iDLayerQp = quantiser;
    layer.sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
    layer.bVideoSignalTypePresent = layer.bColorDescriptionPresent = true;
    layer.uiVideoFormat = VF_UNDEF;
    layer.bFullRange = false;
    layer.uiColorPrimaries = video.isSRGB ? CP_BT709 : CP_UNDEF;
    layer.uiTransferCharacteristics = video.isSRGB ? TRC_IEC61966_2_1 : TRC_UNDEF;
    layer.uiColorMatrix = CM_BT709;
    layer.bAspectRatioPresent = true;
    layer.eAspectRatio = ASP_1x1;
    if (encoder->InitializeExt(&order) != cmResultSuccess) unsupported();
    return encoder;
}

struct Output {
    Room room;
    size_t count = 0;

    uint8_t *take(size_t wanted) {
        if (wanted > room.count - count) noRoom();
        uint8_t *start = room.start + count;
        count += wanted;
        return start;
    }
    static void store(uint8_t *at, size_t value) {
        for (int byte = 0; byte < 4; byte++) at[byte] = uint8_t(value >> (24 - 8 * byte));
    }
    void add(Bytes bytes) {
        store(take(4), bytes.count);
        if (bytes.count > 0) std::memcpy(take(bytes.count), bytes.start, bytes.count);
    }
};

/// A NAL unit without its start code.
Bytes unit(const uint8_t *start, int length) {
    const int code = length > 4 && start[2] == 0 ? 4 : 3;
    if (length <= code) unsupported();
    return Bytes{start + code, size_t(length - code)};
}

template <typename Body>
void eachUnit(const SFrameBSInfo &coded, Body body) {
    for (int index = 0; index < coded.iLayerNum; index++) {
        const SLayerBSInfo &layer = coded.sLayerInfo[index];
        const uint8_t *start = layer.pBsBuf;
        for (int nal = 0; nal < layer.iNalCount; nal++) {
            const Bytes bytes = unit(start, layer.pNalLengthInByte[nal]);
            body(bytes.start[0] & 31, bytes);
            start += layer.pNalLengthInByte[nal];
        }
    }
}

/// Encodes all pictures; returns 0 where they have no room in the encoder.
size_t encoded(const HZVideo &video, std::vector<Planes> &pictures, int quantiser, Room room) {
    Encoder encoder = opened(video, quantiser);
    Output output{room};
    bool isFirst = true;
    for (size_t index = 0; index < pictures.size(); index++) {
        Planes &planes = pictures[index];
        if (planes.samples.empty()) {
            // The parameter sets stand before all.
            if (!isFirst) output.add(Bytes{nullptr, 0});
            continue;
        }
        SSourcePicture source{};
        source.iColorFormat = videoFormatI420;
        source.iPicWidth = int(video.width);
        source.iPicHeight = int(video.height);
        source.iStride[0] = int(video.width);
        source.iStride[1] = source.iStride[2] = int(video.width / 2);
        source.pData[0] = planes.luma();
        source.pData[1] = planes.chroma(video, 0);
        source.pData[2] = planes.chroma(video, 1);
        source.uiTimeStamp = (long long)(index) * 1000;
        SFrameBSInfo coded{};
        if (isFirst && video.isOdd) {
            // The next one that stands for itself has another identifier.
            if (encoder->EncodeFrame(&source, &coded) != cmResultSuccess) return 0;
            encoder->ForceIntraFrame(true);
            coded = SFrameBSInfo{};
        }
        if (encoder->EncodeFrame(&source, &coded) != cmResultSuccess) return 0;
        if (coded.eFrameType != (isFirst ? videoFrameTypeIDR : videoFrameTypeP)) return 0;
        if (isFirst) {
            Bytes sets[2] = {};
            eachUnit(coded, [&](int type, Bytes bytes) {
                if (type == NAL_SPS) sets[0] = bytes;
                if (type == NAL_PPS) sets[1] = bytes;
            });
            if (sets[0].count == 0 || sets[1].count == 0) unsupported();
            for (const Bytes &set : sets) output.add(set);
            for (size_t before = 0; before < index; before++) output.add(Bytes{nullptr, 0});
            isFirst = false;
        }
        uint8_t *length = output.take(4);
        const size_t start = output.count;
        eachUnit(coded, [&](int type, Bytes bytes) {
            if (type == NAL_SLICE || type == NAL_SLICE_IDR) output.add(bytes);
        });
        Output::store(length, output.count - start);
    }
    return output.count;
}

/// The frame's picture in planes; empty ones if it cannot be decoded, with the reason.
Planes planes(const HZVideo &video, const HZVideoFrame &frame, Bytes tables, Bytes bytes, HZCodecStatus &failure) {
    Planes result;
    Drawing drawing{};
    try {
        draw(frame.rendering, tables, bytes, drawing);
    } catch (const Failure &reason) {
        if (reason.status == HZCodecStatusOutOfMemory || reason.status == HZCodecStatusMisuse) throw;
        failure = reason.status;
        return result;
    }
    result.samples.resize(size_t(video.width) * video.height * 3 / 2);
    (drawing.picture.samples == 1 ? fillGrey : fillColour)(drawing.picture, video, result);
    return result;
}

}  // namespace

size_t videoByteLimit(const HZVideo &video) {
    if (!isValid(video)) return 0;
    // The encoder's own room for a picture is a little more than its samples.
    return video.frameCount * (blocks(video.width) * blocks(video.height) * 384 + 4096);
}

size_t encodeVideo(const HZVideo &video, Bytes input, Room room) {
    if (!isValid(video) || input.count < video.frameCount * sizeof(HZVideoFrame)) throw Failure{HZCodecStatusMisuse};
    std::vector<HZVideoFrame> frames(video.frameCount);
    std::memcpy(frames.data(), input.start, frames.size() * sizeof(HZVideoFrame));
    size_t offset = frames.size() * sizeof(HZVideoFrame);
    const auto take = [&](uint64_t count) {
        if (count > input.count - offset) throw Failure{HZCodecStatusMisuse};
        offset += size_t(count);
        return Bytes{input.start + offset - count, size_t(count)};
    };
    std::vector<Planes> pictures;
    HZCodecStatus failure = HZCodecStatusOK;
    for (const HZVideoFrame &frame : frames) {
        const HZRendering &order = frame.rendering;
        if (order.coding != HZPictureVideo || order.quality != frames[0].rendering.quality
            || order.pictureWidth != frames[0].rendering.pictureWidth
            || order.pictureHeight != frames[0].rendering.pictureHeight || order.pictureWidth > video.width
            || order.pictureHeight > video.height) {
            throw Failure{HZCodecStatusMisuse};
        }
        const Bytes tables = take(frame.tableByteCount);
        pictures.push_back(planes(video, frame, tables, take(frame.byteCount), failure));
    }
    if (std::all_of(pictures.begin(), pictures.end(), [](const Planes &each) { return each.samples.empty(); })) {
        throw Failure{failure};
    }
    for (int fineness = quantiser(frames[0].rendering.quality);; fineness = std::min(fineness + 6, quantiserLimit)) {
        const size_t count = encoded(video, pictures, fineness, room);
        if (count > 0) return count;
        if (fineness == quantiserLimit) unsupported();
    }
}

void warmUpVideo() {
    for (const uint16_t samples : {uint16_t(1), uint16_t(3)}) {
        HZVideoFrame frame{};
        frame.byteCount = size_t(16) * 16 * samples;
        HZRendering &order = frame.rendering;
        order.claimed = {16, 16, samples, 8, 8, false, false, samples == 3 ? HZColourRGB : HZColourOther};
        order.native = order.claimed;
        order.slope = 1;
        order.regionWidth = order.regionHeight = order.pictureWidth = order.pictureHeight = 16;
        order.coding = HZPictureVideo;
        order.quality = 90;
        const HZVideo video{2, 16, 16, 10, true, true};
        std::vector<uint8_t> input;
        for (int index = 0; index < 2; index++) {
            const uint8_t *start = reinterpret_cast<const uint8_t *>(&frame);
            input.insert(input.end(), start, start + sizeof frame);
        }
        for (size_t index = 0; index < 2 * frame.byteCount; index++) input.push_back(uint8_t(index * 37 % 251));
        std::vector<uint8_t> output(videoByteLimit(video));
        (void)encodeVideo(video, Bytes{input.data(), input.size()}, Room{output.data(), output.size()});
    }
}

}  // namespace huizhen::codecs
