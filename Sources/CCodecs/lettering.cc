// Letters of any script that needs no shaping (Latin, Chinese, Japanese, Korean, Cyrillic, Greek) in pictures, by FreeType.
#include "lettering.h"

#include <algorithm>
#include <array>
#include <mutex>

#include <unistd.h>

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_GLYPH_H
#include FT_STROKER_H

#include "CCodecs.h"

namespace huizhen::codecs {

namespace {

/// Where Debian's packages put fonts; a character is taken from the first that has it. The first two are those that are
/// asked for; the others have characters that are in few names.
constexpr const char *fontPaths[] = {
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/hanazono/HanaMinA.ttf",
    "/usr/share/fonts/truetype/hanazono/HanaMinB.ttf",
};

/// Pixels of a letter: at least as many as Chinese ones need to be told apart, at most this share of the shorter side.
constexpr uint32_t leastSize = 10;
constexpr uint32_t mostSize = 192;
constexpr uint32_t sizesInSide = 40;
/// Characters of all lines together.
constexpr size_t characterLimit = 2048;
constexpr uint32_t ellipsis = 0x2026;

using Line = std::vector<uint32_t>;
using Lines = std::vector<Line>;

struct Fonts {
    FT_Library library = nullptr;
    FT_Stroker stroker = nullptr;
    std::vector<FT_Face> faces;
    /// A face is for one thread at a time.
    std::mutex turn;
};
Fonts &fonts() {
    static Fonts *const shared = new Fonts;
    return *shared;
}

void check(FT_Error error) {
    if (error == FT_Err_Out_Of_Memory) outOfMemory();
    if (error) unsupported();
}

/// A glyph of FreeType's, freed at the end.
struct Outline {
    FT_Glyph glyph = nullptr;
    Outline() = default;
    Outline(const Outline &) = delete;
    Outline &operator=(const Outline &) = delete;
    ~Outline() { FT_Done_Glyph(glyph); }
    FT_BitmapGlyph bitmap() {
        check(FT_Glyph_To_Bitmap(&glyph, FT_RENDER_MODE_NORMAL, nullptr, 1));
        return reinterpret_cast<FT_BitmapGlyph>(glyph);
    }
};

/// The next character of UTF-8; what is malformed is read byte by byte as U+FFFD.
uint32_t next(Bytes text, size_t &at) {
    const uint8_t first = text.start[at++];
    if (first < 0x80) return first;
    const int more = first >= 0xF0 && first < 0xF5 ? 3 : first >= 0xE0 && first < 0xF0 ? 2 : first >= 0xC2 && first < 0xE0 ? 1 : 0;
    if (more == 0 || text.count - at < size_t(more)) return 0xFFFD;
    uint32_t result = first & (0x3F >> more);
    for (int index = 0; index < more; index++) {
        const uint8_t byte = text.start[at + size_t(index)];
        if ((byte & 0xC0) != 0x80) return 0xFFFD;
        result = result << 6 | (byte & 0x3F);
    }
    at += size_t(more);
    const bool isScalar = result >= (more == 1 ? 0x80u : more == 2 ? 0x800u : 0x10000u) && result < 0x110000
        && (result < 0xD800 || result > 0xDFFF);
    return isScalar ? result : 0xFFFD;
}

/// Whether a character is not shown: controls, marks of direction, joiners, selectors of variants, tags.
bool isSilent(uint32_t character) {
    return character < 0x20 || (character >= 0x7F && character < 0xA0) || character == 0xAD || character == 0x61C
        || (character >= 0x200B && character <= 0x200F) || (character >= 0x2028 && character <= 0x202E)
        || (character >= 0x2060 && character <= 0x206F) || (character >= 0xFE00 && character <= 0xFE0F)
        || character == 0xFEFF || (character >= 0xE0000 && character <= 0xE0FFF);
}

std::array<Lines, 4> blocks(Bytes text) {
    std::array<Lines, 4> result;
    size_t block = 0;
    size_t count = 0;
    Line line;
    for (size_t at = 0; at < text.count;) {
        const uint32_t character = next(text, at);
        if (character == 0 || character == '\n') {
            if (block == result.size()) throw Failure{HZCodecStatusMisuse};
            if (!line.empty()) result[block].push_back(std::move(line));
            line.clear();
            if (character == 0) block++;
        } else if (!isSilent(character) && count < characterLimit) {
            line.push_back(character);
            count++;
        }
    }
    if (block != result.size() || !line.empty()) throw Failure{HZCodecStatusMisuse};
    return result;
}

/// Letters of one size.
class Lettering {
public:
    Lettering(Fonts &fonts, uint32_t size) : fonts(fonts), size(size) {
        for (FT_Face face : fonts.faces) check(FT_Set_Pixel_Sizes(face, 0, size));
        FT_Stroker_Set(
            fonts.stroker, FT_Fixed(std::max(64u, size * 64 / 10)), FT_STROKER_LINECAP_ROUND, FT_STROKER_LINEJOIN_ROUND, 0);
        // Han characters stand a little below the base line.
        ascent = int(size * 22 / 25);
    }

    int lineHeight() const { return int(size + size / 5 + 1); }
    int margin() const { return int(std::max(2u, size / 3)); }
    int gap() const { return int(size); }

    /// In parts of a pixel, 65536 of them: rounded one by one, letters of small size would stand unevenly.
    int64_t advance(uint32_t character) {
        if (FT_Load_Char(load(character), character, flags)) return int64_t(size) << 16;
        return slot->linearHoriAdvance;
    }
    static int rounded(int64_t parts) { return int((parts + 0x8000) >> 16); }
    int width(const Line &line) {
        int64_t result = 0;
        for (const uint32_t character : line) result += advance(character);
        return rounded(result);
    }
    int width(const Lines &lines) {
        int result = 0;
        for (const Line &line : lines) result = std::max(result, width(line));
        return result;
    }

    /// Lines that are no wider than this, broken at a space where there is one in the second half.
    Lines wrapped(const Lines &lines, int limit) {
        Lines result;
        for (const Line &line : lines) {
            Line part;
            int64_t used = 0;
            for (const uint32_t character : line) {
                const int64_t step = advance(character);
                if (rounded(used + step) > limit && !part.empty()) {
                    Line rest;
                    const auto space = std::find(part.rbegin(), part.rend(), uint32_t(' '));
                    if (space != part.rend() && character != ' ' && size_t(part.rend() - space) * 2 > part.size()) {
                        rest.assign(space.base(), part.end());
                        part.erase(space.base() - 1, part.end());
                    }
                    result.push_back(std::move(part));
                    part = std::move(rest);
                    used = int64_t(width(part)) << 16;
                }
                if (part.empty() && character == ' ' && !result.empty()) continue;
                part.push_back(character);
                used += step;
            }
            if (!part.empty()) result.push_back(std::move(part));
        }
        return result;
    }

    /// Draws a line with its upper left corner at `x`, `y`; first its dark border, then its light inside.
    template <typename Canvas>
    void draw(const Line &line, int x, int y, Canvas &canvas, bool isBorder) {
        int64_t pen = int64_t(x) << 16;
        for (const uint32_t character : line) {
            const int64_t step = advance(character);
            if (slot->format == FT_GLYPH_FORMAT_OUTLINE) {
                Outline outline;
                check(FT_Get_Glyph(slot, &outline.glyph));
                if (isBorder) check(FT_Glyph_Stroke(&outline.glyph, fonts.stroker, 1));
                const FT_BitmapGlyph bitmap = outline.bitmap();
                canvas.blend(bitmap->bitmap, rounded(pen) + bitmap->left, y + ascent - bitmap->top, isBorder ? 0 : 255);
            }
            pen += step;
        }
    }

private:
    /// The first face that has the character, else the first one, which shows a box for it.
    FT_Face face(uint32_t character) const {
        for (FT_Face face : fonts.faces) {
            if (FT_Get_Char_Index(face, character) != 0) return face;
        }
        return fonts.faces.front();
    }
    FT_Face load(uint32_t character) {
        FT_Face found = face(character);
        slot = found->glyph;
        return found;
    }

    static constexpr FT_Int32 flags = FT_LOAD_NO_BITMAP | FT_LOAD_TARGET_LIGHT;
    Fonts &fonts;
    const uint32_t size;
    int ascent;
    FT_GlyphSlot slot = nullptr;
};

struct Canvas {
    uint8_t *pixels;
    int width;
    int height;
    uint32_t samples;

    void blend(const FT_Bitmap &bitmap, int left, int top, uint8_t shade) {
        if (bitmap.pixel_mode != FT_PIXEL_MODE_GRAY) return;
        const int firstRow = std::max(0, -top);
        const int lastRow = std::min(int(bitmap.rows), height - top);
        const int firstColumn = std::max(0, -left);
        const int lastColumn = std::min(int(bitmap.width), width - left);
        for (int row = firstRow; row < lastRow; row++) {
            const uint8_t *from = bitmap.buffer + ptrdiff_t(row) * bitmap.pitch;
            uint8_t *to = pixels + (size_t(top + row) * size_t(width) + size_t(left + firstColumn)) * samples;
            for (int column = firstColumn; column < lastColumn; column++) {
                const uint32_t part = from[column];
                for (uint32_t sample = 0; sample < samples; sample++, to++) {
                    *to = uint8_t((*to * (255 - part) + shade * part + 127) / 255);
                }
            }
        }
    }
};

struct Placed {
    const Line *line;
    int x;
    int y;
};

/// Each block in its corner; false where they would meet or leave the picture.
bool place(Lettering &letters, const std::array<Lines, 4> &blocks, int width, int height, std::vector<Placed> &placed) {
    const int margin = letters.margin();
    int rows[2] = {0, 0};
    for (const int side : {0, 1}) {
        const Lines &left = blocks[size_t(2 * side)];
        const Lines &right = blocks[size_t(2 * side + 1)];
        const int between = left.empty() || right.empty() ? 0 : letters.gap();
        if (letters.width(left) + between + letters.width(right) + 2 * margin > width) return false;
        rows[side] = int(std::max(left.size(), right.size()));
    }
    const int between = rows[0] > 0 && rows[1] > 0 ? letters.gap() : 0;
    if ((rows[0] + rows[1]) * letters.lineHeight() + between + 2 * margin > height) return false;
    for (size_t corner = 0; corner < 4; corner++) {
        const Lines &lines = blocks[corner];
        int y = corner < 2 ? margin : height - margin - int(lines.size()) * letters.lineHeight();
        for (const Line &line : lines) {
            placed.push_back({&line, corner % 2 == 0 ? margin : width - margin - letters.width(line), y});
            y += letters.lineHeight();
        }
    }
    return true;
}

/// All lines of all blocks one below the other, as many as there is room for.
Lines stacked(Lettering &letters, const std::array<Lines, 4> &blocks, int width, int height) {
    const int margin = letters.margin();
    const int room = width - 2 * margin;
    Lines all;
    for (const Lines &lines : blocks) {
        for (Line &line : letters.wrapped(lines, room)) all.push_back(std::move(line));
    }
    const size_t rows = size_t(std::max(0, height - 2 * margin) / letters.lineHeight());
    if (all.size() > rows) {
        all.resize(rows);
        if (!all.empty()) {
            Line &last = all.back();
            while (!last.empty() && letters.width(last) + Lettering::rounded(letters.advance(ellipsis)) > room) last.pop_back();
            last.push_back(ellipsis);
        }
    }
    return all;
}

}  // namespace

void openFonts() {
    Fonts &fonts = codecs::fonts();
    if (FT_Init_FreeType(&fonts.library)) return;
    if (FT_Stroker_New(fonts.library, &fonts.stroker)) return;
    for (const char *path : fontPaths) {
        FT_Face face = nullptr;
        if (FT_New_Face(fonts.library, path, 0, &face)) continue;
        if (FT_IS_SCALABLE(face) && !FT_Select_Charmap(face, FT_ENCODING_UNICODE)) {
            fonts.faces.push_back(face);
        } else {
            FT_Done_Face(face);
        }
    }
}

void writeText(uint8_t *pixels, uint32_t width, uint32_t height, uint32_t samples, Bytes text) {
    const std::array<Lines, 4> wanted = blocks(text);
    Fonts &fonts = codecs::fonts();
    const std::lock_guard<std::mutex> turn(fonts.turn);
    if (fonts.faces.empty()) unsupported();
    uint32_t size = std::clamp(std::min(width, height) / sizesInSide, leastSize, mostSize);
    std::vector<Placed> placed;
    Lines lines;
    while (true) {
        Lettering letters(fonts, size);
        if (!place(letters, wanted, int(width), int(height), placed)) {
            if (size > leastSize) {
                size = std::max(leastSize, size * 9 / 10);
                continue;
            }
            lines = stacked(letters, wanted, int(width), int(height));
            int y = letters.margin();
            for (const Line &line : lines) {
                placed.push_back({&line, letters.margin(), y});
                y += letters.lineHeight();
            }
        }
        Canvas canvas{pixels, int(width), int(height), samples};
        for (const bool isBorder : {true, false}) {
            for (const Placed &each : placed) letters.draw(*each.line, each.x, each.y, canvas, isBorder);
        }
        return;
    }
}

}  // namespace huizhen::codecs

bool hz_font_is_installed(void) {
    return std::any_of(std::begin(huizhen::codecs::fontPaths), std::end(huizhen::codecs::fontPaths), [](const char *path) {
        return access(path, R_OK) == 0;
    });
}
