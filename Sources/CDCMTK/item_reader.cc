#include "item_reader.h"

#include <algorithm>

namespace huizhen {

bool ItemReader::item(uint8_t &type, ItemReader &content) {
    if (left < 4) { return false; }
    type = next[0];
    (void)skip(2);
    return counted(content);
}

bool ItemReader::number(uint16_t &value) {
    if (left < 2) { return false; }
    value = static_cast<uint16_t>(next[0] << 8 | next[1]);
    return skip(2);
}

bool ItemReader::counted(ItemReader &content) {
    uint16_t count = 0;
    if (!number(count) || left < count) { return false; }
    content = ItemReader{next, count};
    return skip(count);
}

bool ItemReader::skip(size_t count) {
    if (left < count) { return false; }
    next += count;
    left -= count;
    return true;
}

std::string trimmed(const uint8_t *bytes, size_t count) {
    const auto isPadding = [](uint8_t byte) { return byte == ' ' || byte == 0; };
    while (count > 0 && isPadding(bytes[count - 1])) { --count; }
    while (count > 0 && isPadding(*bytes)) {
        ++bytes;
        --count;
    }
    return std::string(reinterpret_cast<const char *>(bytes), count);
}

bool readUID(const ItemReader &content, std::string &uid) {
    uid = trimmed(content.next, content.left);
    return !uid.empty() && uid.size() <= uidByteCountLimit
        && std::all_of(uid.begin(), uid.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

void appendShort(std::vector<uint8_t> &out, size_t value) {
    out.push_back(static_cast<uint8_t>(value >> 8));
    out.push_back(static_cast<uint8_t>(value));
}

void appendCounted(std::vector<uint8_t> &out, const uint8_t *bytes, size_t count) {
    appendShort(out, count);
    out.insert(out.end(), bytes, bytes + count);
}

void appendItem(std::vector<uint8_t> &out, uint8_t type, const std::vector<uint8_t> &content) {
    out.push_back(type);
    out.push_back(0);
    appendCounted(out, content.data(), content.size());
}

}  // namespace huizhen
