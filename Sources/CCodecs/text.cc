// Where words stand in a picture: tesseract, in a worker that can do nothing else.
//
// The library is opened at run time and only by workers that read text, so that nothing else depends on it.
#include <dlfcn.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "CCodecs.h"
#include "frame.h"

namespace huizhen::codecs {

namespace {

/// Confidence in a word from which its place counts, in percent. Far below what a reader of pages would take, for a
/// place that is blanked for nothing costs little and a name that is left costs much.
constexpr float leastConfidence = 0;
/// Pixels of the longer side up to which a picture is looked at twice, and four times, as large: small letters are missed otherwise.
constexpr uint32_t doubledSideLimit = 2200;
constexpr uint32_t quadrupledSideLimit = 1100;
/// Pixels of the picture that a word has at least.
constexpr int leastWidth = 3;
constexpr int leastHeight = 6;
/// Boxes of one picture.
constexpr size_t boxLimit = HZ_TEXT_BOX_LIMIT;

/// The functions of libtesseract's C interface that are used.
struct Library {
    void *(*create)();
    int (*init)(void *, const char *, const char *);
    void (*setMode)(void *, int);
    int (*setVariable)(void *, const char *, const char *);
    void (*setImage)(void *, const unsigned char *, int, int, int, int);
    void (*setResolution)(void *, int);
    int (*recognize)(void *, void *);
    void *(*iterator)(void *);
    void *(*pageIterator)(void *);
    int (*next)(void *, int);
    char *(*text)(const void *, int);
    float (*confidence)(const void *, int);
    int (*box)(const void *, int, int *, int *, int *, int *);
    void (*deleteText)(const char *);
    void (*deleteIterator)(void *);
    void (*clear)(void *);
    void *reader = nullptr;
};
Library library;

constexpr int wordLevel = 3;
constexpr int sparseText = 11;

/// How a picture is parted into ink and ground for one look at it.
struct Look {
    /// Tesseract's `thresholding_method`: 0 one threshold for the picture (Otsu), 2 one for each place (Sauvola).
    const char *threshold;
    /// Ink is taken to be darker than its ground; bright letters are sought in the inverted picture.
    bool isInverted;
};
/// One threshold finds small letters on even ground. Those that run over dark and bright anatomy alike need one for each
/// place, which knows ink by its darkness alone and so looks twice.
constexpr Look looks[] = {{"0", false}, {"2", true}, {"2", false}};
/// Share of the spread of brightness around a place by which ink differs (`thresholding_kfactor`; 0.34 if nobody says). With
/// less the grain of a picture is taken for words, and costs more time than all else.
constexpr const char *spreadShare = "0.65";
/// Pixels of the enlarged picture's shorter side from which each place has its threshold: in less there is no place.
constexpr uint32_t leastSideOfPlaces = 16;

template <typename Function>
bool find(void *handle, const char *name, Function &function) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
    return function != nullptr;
}

bool open(void *handle) {
    return find(handle, "TessBaseAPICreate", library.create) && find(handle, "TessBaseAPIInit3", library.init)
        && find(handle, "TessBaseAPISetPageSegMode", library.setMode)
        && find(handle, "TessBaseAPISetVariable", library.setVariable)
        && find(handle, "TessBaseAPISetImage", library.setImage)
        && find(handle, "TessBaseAPISetSourceResolution", library.setResolution)
        && find(handle, "TessBaseAPIRecognize", library.recognize)
        && find(handle, "TessBaseAPIGetIterator", library.iterator)
        && find(handle, "TessResultIteratorGetPageIterator", library.pageIterator)
        && find(handle, "TessResultIteratorNext", library.next)
        && find(handle, "TessResultIteratorGetUTF8Text", library.text)
        && find(handle, "TessResultIteratorConfidence", library.confidence)
        && find(handle, "TessPageIteratorBoundingBox", library.box)
        && find(handle, "TessDeleteText", library.deleteText)
        && find(handle, "TessResultIteratorDelete", library.deleteIterator)
        && find(handle, "TessBaseAPIClear", library.clear);
}

/// Whether a word has a letter, a digit or anything beyond ASCII.
bool saysSomething(const char *word) {
    for (const char *at = word; *at; at++) {
        if (std::isalnum(static_cast<unsigned char>(*at)) || (*at & 0x80)) return true;
    }
    return false;
}

struct Box {
    uint32_t left, top, right, bottom;
};

/// Whether a box adds nothing to one that was found before: what sticks out of what is blanked for that one has no room
/// for a letter. Shadows of letters make such boxes.
bool addsNothing(const Box &box, const Box &found) {
    const uint32_t side = std::max<uint32_t>(
        HZ_TEXT_MARGIN, std::min<uint32_t>((found.bottom - found.top) / 2, HZ_TEXT_SIDE_MARGIN_LIMIT));
    const uint32_t over = HZ_TEXT_MARGIN + leastHeight - 1;
    return box.left + side >= found.left && box.right <= found.right + side && box.top + over >= found.top
        && box.bottom <= found.bottom + over;
}

/// Adds a box, as each look finds the same words: unless another stands for it, and in place of those that lie in it.
void join(std::vector<Box> &boxes, const Box &box) {
    for (const Box &found : boxes) {
        if (addsNothing(box, found)) return;
    }
    const auto liesInside = [&box](const Box &found) {
        return found.left >= box.left && found.right <= box.right && found.top >= box.top && found.bottom <= box.bottom;
    };
    boxes.erase(std::remove_if(boxes.begin(), boxes.end(), liesInside), boxes.end());
    if (boxes.size() == boxLimit) unsupported();
    boxes.push_back(box);
}

/// The picture `scale` times as large: between pixels by their weights, as letters of one pixel's width need it.
std::vector<uint8_t> enlarged(const uint8_t *grey, uint32_t columns, uint32_t rows, uint32_t scale) {
    const uint32_t wide = columns * scale;
    const uint32_t high = rows * scale;
    std::vector<uint8_t> larger(size_t(wide) * high);
    for (uint32_t row = 0; row < high; row++) {
        const uint32_t up = row / scale;
        const uint32_t down = std::min(up + 1, rows - 1);
        const uint32_t rowPart = row % scale;
        for (uint32_t column = 0; column < wide; column++) {
            const uint32_t left = column / scale;
            const uint32_t right = std::min(left + 1, columns - 1);
            const uint32_t part = column % scale;
            const uint32_t above = grey[size_t(up) * columns + left] * (scale - part)
                + grey[size_t(up) * columns + right] * part;
            const uint32_t below = grey[size_t(down) * columns + left] * (scale - part)
                + grey[size_t(down) * columns + right] * part;
            larger[size_t(row) * wide + column] = uint8_t((above * (scale - rowPart) + below * rowPart) / (scale * scale));
        }
    }
    return larger;
}

/// One look at an enlarged picture; the places found are those of the picture itself.
void look(
    const std::vector<uint8_t> &larger, uint32_t columns, uint32_t rows, uint32_t scale, const Look &look,
    std::vector<Box> &boxes) {
    if (library.setVariable(library.reader, "thresholding_method", look.threshold) == 0) unsupported();
    library.setImage(library.reader, larger.data(), int(columns * scale), int(rows * scale), 1, int(columns * scale));
    library.setResolution(library.reader, 150);
    if (library.recognize(library.reader, nullptr) != 0) malformed();
    void *words = library.iterator(library.reader);
    if (words != nullptr) {
        do {
            const float confidence = library.confidence(words, wordLevel);
            char *text = library.text(words, wordLevel);
            if (text == nullptr) continue;
            int left = 0, top = 0, right = 0, bottom = 0;
            const bool counts = confidence >= leastConfidence && saysSomething(text)
                && library.box(library.pageIterator(words), wordLevel, &left, &top, &right, &bottom) != 0;
            library.deleteText(text);
            // Below this nothing can be read; grain of the image is taken for words.
            if (!counts || right - left < leastWidth * int(scale) || bottom - top < leastHeight * int(scale)) continue;
            const auto clipped = [scale](int value, uint32_t limit) {
                return std::min(uint32_t(std::max(value, 0)) / scale, limit);
            };
            const Box box{
                clipped(left, columns), clipped(top, rows), clipped(right + int(scale) - 1, columns),
                clipped(bottom + int(scale) - 1, rows)};
            try { join(boxes, box); } catch (...) {
                library.deleteIterator(words);
                throw;
            }
        } while (library.next(words, wordLevel) != 0);
        library.deleteIterator(words);
    }
    library.clear(library.reader);
}

void search(const uint8_t *grey, uint32_t columns, uint32_t rows, std::vector<Box> &boxes) {
    if (columns < uint32_t(leastWidth) || rows < uint32_t(leastHeight)) return;
    const uint32_t longer = std::max(columns, rows);
    const uint32_t scale = longer <= quadrupledSideLimit ? 4 : longer <= doubledSideLimit ? 2 : 1;
    std::vector<uint8_t> larger = enlarged(grey, columns, rows, scale);
    const bool hasPlaces = std::min(columns, rows) * scale >= leastSideOfPlaces;
    bool isInverted = false;
    for (const Look &each : looks) {
        if (each.threshold[0] != '0' && !hasPlaces) continue;
        if (each.isInverted != isInverted) {
            for (uint8_t &pixel : larger) pixel = uint8_t(255 - pixel);
            isInverted = each.isInverted;
        }
        look(larger, columns, rows, scale, each, boxes);
    }
}

}  // namespace

}  // namespace huizhen::codecs

using namespace huizhen::codecs;

int hz_text_open(const char *languages) {
    // One thread: the sandbox allows no other.
    setenv("OMP_THREAD_LIMIT", "1", 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    void *handle = dlopen("libtesseract.so.5", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr || !open(handle)) return -1;
    library.reader = library.create();
    if (library.reader == nullptr || library.init(library.reader, nullptr, languages) != 0) return -1;
    library.setMode(library.reader, sparseText);
    library.setVariable(library.reader, "load_system_dawg", "0");
    // Without it letters over bright and dark would be missed: then nothing is read at all.
    if (library.setVariable(library.reader, "thresholding_kfactor", spreadShare) == 0) return -1;
    // Whatever is set up at first use is set up now, while files can still be read: sorting asks how much memory there is.
    std::vector<uint64_t> numbers(1024);
    for (size_t index = 0; index < numbers.size(); index++) numbers[index] = (index * 7919) % 1024;
    std::qsort(numbers.data(), numbers.size(), sizeof numbers[0], [](const void *left, const void *right) {
        return int(*static_cast<const uint64_t *>(left) > *static_cast<const uint64_t *>(right));
    });
    const uint32_t columns = 160, rows = 60;
    std::vector<uint8_t> picture(size_t(columns) * rows, 255);
    for (uint32_t letter = 0; letter < 6; letter++) {
        for (uint32_t row = 20; row < 40; row++) {
            for (uint32_t column = 0; column < 10; column++) {
                const bool isInk = column < 3 || (row >= 28 && row < 31) || column >= 7;
                if (isInk) picture[size_t(row) * columns + 20 + letter * 18 + column] = 0;
            }
        }
    }
    try {
        std::vector<Box> boxes;
        search(picture.data(), columns, rows, boxes);
    } catch (...) { return -1; }
    return 0;
}

HZCodecStatus hz_text_find(
    const HZTextSearch *wanted, const uint8_t *grey, size_t count, uint8_t *output, size_t outputCount, size_t *written) {
    *written = 0;
    try {
        if (library.reader == nullptr) unsupported();
        if (wanted->rows == 0 || wanted->columns == 0 || wanted->rows > HZ_TEXT_SIDE_LIMIT || wanted->columns > HZ_TEXT_SIDE_LIMIT
            || count != size_t(wanted->rows) * wanted->columns) {
            malformed();
        }
        std::vector<Box> boxes;
        search(grey, wanted->columns, wanted->rows, boxes);
        if (outputCount < boxes.size() * sizeof(Box)) noRoom();
        std::memcpy(output, boxes.data(), boxes.size() * sizeof(Box));
        *written = boxes.size() * sizeof(Box);
        return HZCodecStatusOK;
    } catch (const Failure &failure) {
        return failure.status;
    } catch (...) {
        return HZCodecStatusOutOfMemory;
    }
}
