#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace huizhen {

constexpr size_t uidByteCountLimit = 64;

/// Reads items of an A-ASSOCIATE PDU (PS3.8 §9.3.2), never beyond their end.
struct ItemReader {
    const uint8_t *next;
    size_t left;

    /// Takes an item's head and gives what is in it.
    bool item(uint8_t &type, ItemReader &content);
    /// Takes a big endian number of two bytes.
    bool number(uint16_t &value);
    /// Takes bytes that a number of two bytes counts.
    bool counted(ItemReader &content);
    bool skip(size_t count);
};

/// Drops spaces and NULs at both ends.
std::string trimmed(const uint8_t *bytes, size_t count);

/// A UID as peers send it: padding dropped, nothing but visible ASCII.
bool readUID(const ItemReader &content, std::string &uid);

void appendShort(std::vector<uint8_t> &out, size_t value);
/// Appends bytes and, before them, their count in two bytes.
void appendCounted(std::vector<uint8_t> &out, const uint8_t *bytes, size_t count);
void appendItem(std::vector<uint8_t> &out, uint8_t type, const std::vector<uint8_t> &content);

}  // namespace huizhen
