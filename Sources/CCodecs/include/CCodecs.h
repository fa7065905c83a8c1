/// C ABI over the pixel codecs: one frame in, one frame out. PS3.5 §8.2 and Annex A.4.
///
/// No policy: what the caller claims of a frame is checked against what its stream says, before memory is taken for
/// it; nothing else is decided here. No C++ exception leaves, nothing is written to a file or a terminal.
/// All functions may be called from any thread at the same time on different buffers, except where said.
/// Buffers are borrowed for the call. Pointers must not be null unless said.
#ifndef CCODECS_H
#define CCODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__)
#define HZ_CODEC_CLOSED __attribute__((enum_extensibility(closed)))
#else
#define HZ_CODEC_CLOSED
#endif

/// How a call ended.
typedef enum HZ_CODEC_CLOSED HZCodecStatus {
    HZCodecStatusOK = 0,
    /// The stream is broken or ends too early.
    HZCodecStatusMalformed,
    /// The stream is of other rows, columns, samples or bits than claimed.
    HZCodecStatusDiffers,
    /// The stream or the format is valid, but this codec has no way to do it.
    HZCodecStatusUnsupported,
    /// The output buffer is of the wrong size, or too small for the stream.
    HZCodecStatusNoRoom,
    HZCodecStatusOutOfMemory,
    /// The arguments contradict one another.
    HZCodecStatusMisuse,
} HZCodecStatus;

/// What a frame is coded by.
typedef enum HZ_CODEC_CLOSED HZCodec {
    /// Not at all: little endian samples. PS3.5 §8.1.
    HZCodecNative = 0,
    /// PS3.5 Annex G.
    HZCodecRLE,
    /// RFC 1951 over the native frame. PS3.5 §A.4.13.
    HZCodecDeflate,
    /// ISO 10918-1 with a DCT (baseline, extended, progressive; 8 or 12 bits) or lossless.
    HZCodecJPEG,
    /// ISO 10918-1 process 14; to encode only, selection value 1.
    HZCodecJPEGLossless,
    /// ISO 14495-1.
    HZCodecJPEGLS,
    /// ISO 15444-1, or 15444-15 when decoded.
    HZCodecJPEG2000,
    /// ISO 15444-15, or 15444-1 when decoded.
    HZCodecHTJ2K,
} HZCodec;

/// What the samples of a pixel mean. PS3.3 §C.7.6.3.1.2.
typedef enum HZ_CODEC_CLOSED HZColour {
    /// Grey, a palette's index, or anything that is left as it is.
    HZColourOther = 0,
    HZColourRGB,
    HZColourYBRFull,
    /// Half as many columns of CB and CR: two bytes a pixel when native.
    HZColourYBRFull422,
    /// The transforms of JPEG 2000; exist in streams alone.
    HZColourYBRICT,
    HZColourYBRRCT,
} HZColour;

/// What is claimed of a frame. PS3.3 §C.7.6.3.
typedef struct HZFrameFormat {
    uint32_t rows;
    uint32_t columns;
    /// 1...4.
    uint16_t samples;
    /// 1, 8, 16, 32 or 64.
    uint16_t bitsAllocated;
    /// 1...bitsAllocated; the samples are in the low bits.
    uint16_t bitsStored;
    bool isSigned;
    /// Whether all of the first sample comes first; native frames only. PS3.3 §C.7.6.3.1.3.
    bool isPlanar;
    HZColour colour;
} HZFrameFormat;

/// What an encoder may choose.
typedef struct HZEncoding {
    /// 1...100, for JPEG with a DCT.
    uint8_t quality;
    /// The most a sample may differ by, 0...255, for JPEG-LS.
    uint8_t nearLossless;
    /// Quantisation step as a share of the full range for HTJ2K; 0 is reversible.
    float quantisation;
} HZEncoding;

/// Rows and columns go up to this. PS3.3 §C.7.6.3.1.
#define HZ_FRAME_SIDE_LIMIT 65535
/// Tiles of a JPEG 2000 stream go up to this; each costs memory before a pixel is read.
#define HZ_TILE_COUNT_LIMIT 4096
/// Scans of a progressive JPEG go up to this; each costs a pass over the image.
#define HZ_SCAN_COUNT_LIMIT 200

/// Prepares the libraries once, and touches what they would otherwise touch at first use. Needs no file.
void hz_codecs_initialize(void);

/// Bytes of one native frame of this format; 0 when the format makes no sense.
size_t hz_frame_byte_count(const HZFrameFormat *format);

/// The most bytes a stream of this frame takes; 0 when the format makes no sense.
size_t hz_frame_stream_limit(const HZFrameFormat *format);

/// Decodes one frame.
///
/// `claimed` is what the dataset says of it, `wanted` the native frame to deliver: the same but for `isPlanar` and
/// `colour`. `outputCount` must be `hz_frame_byte_count(wanted)`. When `claimed` and `wanted` are of the same colour
/// nothing is converted. On failure the output's content is undefined.
HZCodecStatus hz_frame_decode(
    HZCodec codec, const HZFrameFormat *claimed, const HZFrameFormat *wanted, const uint8_t *bytes, size_t count,
    uint8_t *output, size_t outputCount);

/// Encodes one native frame of `count` bytes in format `native`; `streamColour` says what the stream is to hold.
///
/// `*written` is set on success; without padding to an even length (RLE pads by itself).
HZCodecStatus hz_frame_encode(
    HZCodec codec, const HZFrameFormat *native, HZColour streamColour, const HZEncoding *encoding,
    const uint8_t *bytes, size_t count, uint8_t *output, size_t outputCount, size_t *written);

/// One frame's way from one coding to another.
typedef struct HZConversion {
    HZCodec from;
    HZCodec to;
    /// What the dataset says of the frame as it comes.
    HZFrameFormat claimed;
    /// The native frame between, or the one to deliver.
    HZFrameFormat native;
    HZColour streamColour;
    HZEncoding encoding;
} HZConversion;

/// Decodes and encodes as far as `conversion` needs it; straight into `output` where only one of both is needed.
HZCodecStatus hz_frame_convert(
    const HZConversion *conversion, const uint8_t *bytes, size_t count, uint8_t *output, size_t outputCount,
    size_t *written);

/// What the colour of a JPEG stream is by its own markers (Adobe's, JFIF's, the components' identifiers).
///
/// HZColourOther when it has one component or does not say. Reads headers alone.
HZCodecStatus hz_jpeg_colour(const uint8_t *bytes, size_t count, HZColour *colour);

// MARK: Pictures for screens

/// How values become shades. PS3.3 §C.11.2.
typedef enum HZ_CODEC_CLOSED HZWindow {
    /// From the frame's lowest value to its highest.
    HZWindowRange = 0,
    HZWindowLinear,
    HZWindowLinearExact,
    HZWindowSigmoid,
    /// By the second table.
    HZWindowTable,
} HZWindow;

/// What a picture is coded as.
typedef enum HZ_CODEC_CLOSED HZPictureCoding {
    HZPictureJPEG = 0,
    HZPicturePNG,
    /// One image, its table of 256 colours before it.
    HZPictureGIF,
    /// One of a video's, for hz_video_encode alone.
    HZPictureVideo,
} HZPictureCoding;

/// What the colours of a picture's samples mean. PS3.18 §8.3.5.1.5.
typedef enum HZ_CODEC_CLOSED HZColourSpace {
    /// As the image says it.
    HZColourSpaceOwn = 0,
    HZColourSpaceSRGB,
    HZColourSpaceAdobeRGB,
    HZColourSpaceROMMRGB,
    HZColourSpaceDisplayP3,
} HZColourSpace;

/// A table of 16-bit words. PS3.3 §C.7.6.3.1.5 and §C.11.1.
typedef struct HZLookup {
    /// The value that the first entry is for.
    int32_t first;
    /// 0...65536; 0 is no table.
    uint32_t count;
    /// Bits of an entry, 1...16.
    uint32_t bits;
} HZLookup;

/// Sides of a picture go up to this.
#define HZ_PICTURE_SIDE_LIMIT 8192

/// How one frame becomes a picture of 8 bits, grey or RGB.
typedef struct HZRendering {
    HZCodec codec;
    /// What the dataset says of the frame as it comes.
    HZFrameFormat claimed;
    /// The decoded frame; RGB where there are three samples.
    HZFrameFormat native;
    /// Whether samples of 32 or 64 bits are floating-point numbers.
    bool isFloat;
    /// Bits below the lowest one that is stored.
    uint16_t shift;
    /// Modality: the first table, or slope and intercept.
    double slope;
    double intercept;
    HZLookup modality;
    HZWindow window;
    double center;
    double width;
    HZLookup voi;
    /// Whether the highest value is black.
    bool isInverted;
    /// Stored values that count for nothing in HZWindowRange.
    bool hasPadding;
    int64_t paddingLow;
    int64_t paddingHigh;
    /// Red, green and blue of a palette; none for grey.
    HZLookup palette[3];
    /// Bytes of the image's ICC profile: to go into the picture, or to be converted from.
    uint32_t profileByteCount;
    /// What colours are converted to; of pictures that are grey nothing is.
    HZColourSpace colourSpace;
    /// Bytes of a plane with a bit for each pixel of the frame, row by row, the lowest bit first; what is set is drawn in
    /// white. 0 for none.
    uint32_t overlayByteCount;
    /// Bits of an uncompressed sample, none of them stored ones, that are drawn in white likewise. PS3.5 §8.1.2.
    uint16_t overlayBits;
    /// Bytes of text that is written into the picture: UTF-8, four blocks of lines, each block ended by a zero, for the
    /// upper left, upper right, lower left and lower right corner. 0 for none.
    uint32_t textByteCount;
    /// The part of the frame that is shown, in its pixels.
    uint32_t left;
    uint32_t top;
    uint32_t regionWidth;
    uint32_t regionHeight;
    /// The picture's sides, up to HZ_PICTURE_SIDE_LIMIT.
    uint32_t pictureWidth;
    uint32_t pictureHeight;
    bool mirrorsColumns;
    bool mirrorsRows;
    HZPictureCoding coding;
    /// 1...100, for JPEG and videos.
    uint8_t quality;
} HZRendering;

/// Bytes of the tables, the profile, the overlay and the text that precede the frame, in the order of the structure.
size_t hz_rendering_table_byte_count(const HZRendering *rendering);

/// Bytes of text in a picture.
#define HZ_PICTURE_TEXT_LIMIT 16384

/// Whether there is a font for text in pictures; looks for files.
bool hz_font_is_installed(void);

/// Makes a picture of one frame. `tables` may be null when there are none; neither pointer need be aligned.
///
/// Takes memory for the decoded frame, the region shown and the picture. `*written` is set on success.
HZCodecStatus hz_frame_render(
    const HZRendering *rendering, const uint8_t *tables, size_t tableCount, const uint8_t *bytes, size_t count,
    uint8_t *output, size_t outputCount, size_t *written);

// MARK: Videos

/// Pictures of a group.
#define HZ_VIDEO_FRAME_LIMIT 30
/// Macroblocks, of 16 by 16 pixels, of a picture: no level has more. ISO/IEC 14496-10 §A.3.1.
#define HZ_VIDEO_MACROBLOCK_LIMIT 36864
/// The encoder's least side, in pixels.
#define HZ_VIDEO_SIDE_MINIMUM 16

/// A group of a video's pictures that can be shown without the others. ISO/IEC 14496-10.
typedef struct HZVideo {
    /// 1...HZ_VIDEO_FRAME_LIMIT.
    uint32_t frameCount;
    /// Even, and no less than the pictures' sides; what they lack is filled with their last column and row.
    uint32_t width;
    uint32_t height;
    /// Above 0; for the level alone.
    double framesPerSecond;
    /// Whether colours are those of sRGB; else nothing is said of them.
    bool isSRGB;
    /// Its first picture is identified in another way than that of an even group: neighbours must differ. §7.4.3.
    bool isOdd;
} HZVideo;

/// One frame of a group.
typedef struct HZVideoFrame {
    uint64_t tableByteCount;
    uint64_t byteCount;
    /// All of one picture size and quality.
    HZRendering rendering;
} HZVideoFrame;

/// The most bytes a group takes; 0 when it makes no sense.
size_t hz_video_byte_limit(const HZVideo *video);

/// Makes a group of pictures: H.264 of the Constrained Baseline profile, 4:2:0, limited range, BT.709 matrix.
///
/// `bytes` begin with the HZVideoFrame of each frame; each one's tables and bytes follow, one after another; they need
/// not be aligned. Writes the sequence's parameter set, the picture's, and what each frame became, NAL units with
/// their length before them; before each of all these its length. All lengths are 32 bits, the highest byte first.
/// Of a frame that cannot be decoded there is nothing; when none can, its status is the result. A picture too restless
/// for the encoder's room makes the whole group coarser. Takes memory for all pictures. `*written` is set on success.
HZCodecStatus hz_video_encode(
    const HZVideo *video, const uint8_t *bytes, size_t count, uint8_t *output, size_t outputCount, size_t *written);

// MARK: Worker processes

/// Bounds of a worker process.
typedef struct HZWorkerLimits {
    /// Bytes of address space beyond what it begins with and the shared memory.
    uint64_t memoryByteCount;
    /// Processor seconds in all.
    uint64_t processorSeconds;
} HZWorkerLimits;

/// The descriptors a worker begins with, all others are closed.
#define HZ_WORKER_SOCKET 3
#define HZ_WORKER_MEMORY 4

// MARK: Text in pictures

/// Rows and columns of a picture that is looked through.
#define HZ_TEXT_SIDE_LIMIT 8192
/// Words of one picture; of one with more nothing is said.
#define HZ_TEXT_BOX_LIMIT 4096
/// Pixels around a word that are blanked with it: edges of letters are softened.
#define HZ_TEXT_MARGIN 3
/// Pixels at its sides, of half its height at most: of ideographs half a one is often counted to no word.
#define HZ_TEXT_SIDE_MARGIN_LIMIT 64

/// A picture of `rows` times `columns` bytes, 0 black.
typedef struct HZTextSearch {
    uint32_t rows;
    uint32_t columns;
} HZTextSearch;

/// Opens tesseract and its models, and uses them once, so that nothing is left to be opened: before the sandbox.
///
/// `languages` as tesseract joins them, borrowed. One thread of the process, once. Returns 0, or -1 if it is not
/// installed. What is opened stays until the process ends.
int hz_text_open(const char *languages);

/// Finds words: writes left, top, right and bottom of each, four numbers of 32 bits, the last two behind its pixels.
///
/// The thread that opened. HZCodecStatusUnsupported without `hz_text_open` and for too many words.
HZCodecStatus hz_text_find(
    const HZTextSearch *wanted, const uint8_t *grey, size_t count, uint8_t *output, size_t outputCount, size_t *written);

/// What a worker is asked; its bytes lie at the beginning of the shared memory.
typedef struct HZWorkerRequest {
    uint64_t serial;
    uint64_t inputByteCount;
    uint64_t outputOffset;
    uint64_t outputByteCount;
    /// 0; the others are for tests and exist in debug builds alone.
    uint32_t probe;
    /// Whether `rendering` is asked for, not `conversion`.
    bool rendersPicture;
    /// Whether `text` is asked for, not `conversion`.
    bool findsText;
    /// Whether `video` is asked for, not `conversion`.
    bool makesVideo;
    /// Bytes before the frame that are tables of `rendering`; counted in `inputByteCount`.
    uint64_t tableByteCount;
    HZConversion conversion;
    HZRendering rendering;
    HZTextSearch text;
    HZVideo video;
} HZWorkerRequest;

/// What it answers. Not to be trusted.
typedef struct HZWorkerReply {
    uint64_t serial;
    uint64_t byteCount;
    /// An HZCodecStatus, if it is one.
    uint32_t status;
    uint32_t reserved;
} HZWorkerReply;

/// Starts `path` with `arguments` (null-terminated, the first the program's name) and without environment.
///
/// Its socket becomes HZ_WORKER_SOCKET, its memory HZ_WORKER_MEMORY, standard streams /dev/null. The descriptors stay
/// the caller's. Returns 0, or an errno. The process is the caller's to wait for.
int hz_worker_spawn(const char *path, const char *const *arguments, int socket, int memory, pid_t *process);

/// A pair of connected message sockets that close with an exec. Returns 0, or an errno.
int hz_worker_socket_pair(int *parent, int *child);

/// Memory without a name that nobody can shrink, `byteCount` long. Returns a descriptor of the caller's, or -1 with errno.
int hz_worker_memory(uint64_t byteCount);

/// Makes the memory longer. Returns 0, or an errno.
int hz_worker_memory_grow(int memory, uint64_t byteCount);

/// Gives the memory's pages from `offset` on back to the system; they read as zeros.
void hz_worker_memory_release(int memory, uint64_t offset, uint64_t byteCount);

/// Gives up for good everything but computing: new privileges, dumps, files, sockets, processes.
///
/// To be called once, by a worker process, before it reads a byte that is not its own. Afterwards any other system
/// call than for memory and messages on the open socket kills the process. Also ends with its parent.
/// Returns 0, or an errno; then nothing untrusted may be read.
int hz_worker_enter_sandbox(const HZWorkerLimits *limits, uint64_t mappedByteCount);

#ifdef __cplusplus
}
#endif
#endif
