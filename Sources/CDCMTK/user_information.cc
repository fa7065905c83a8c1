#include "user_information.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "pdu.h"

namespace huizhen {

namespace {

enum SubItem : uint8_t {
    windowItem = 0x53,
    extensionItem = 0x56,
    relationItem = 0x57,
    identityItem = 0x58,
    identityResponseItem = 0x59,
};

constexpr uint8_t userInformationItem = 0x50;
/// Head and fixed fields of an A-ASSOCIATE PDU.
constexpr size_t itemsOffset = headByteCount + 68;
constexpr size_t countLimit = 0xffff;

bool readWindow(ItemReader content, HZWindow &window) {
    if (content.left != 4) { return false; }
    window.isProposed = true;
    return content.number(window.invoked) && content.number(window.performed);
}

bool readExtension(ItemReader content, std::vector<Extension> &extensions) {
    ItemReader uid{nullptr, 0};
    Extension extension;
    if (!content.counted(uid) || !readUID(uid, extension.abstractSyntax)) { return false; }
    extension.bytes.assign(content.next, content.next + std::min(content.left, extensionByteCountLimit));
    if (extensions.size() < extensionCountLimit) { extensions.push_back(std::move(extension)); }
    return true;
}

bool readRelation(ItemReader content, std::vector<Relation> &relations) {
    ItemReader uid{nullptr, 0};
    ItemReader service{nullptr, 0};
    ItemReader general{nullptr, 0};
    Relation relation;
    if (!content.counted(uid) || !readUID(uid, relation.abstractSyntax)) { return false; }
    if (!content.counted(service) || !readUID(service, relation.serviceClass)) { return false; }
    // The related general SOP classes decide nothing here; they must be whole all the same. What a later version of
    // the sub-item adds behind them is left alone.
    if (!content.counted(general)) { return false; }
    while (general.left > 0) {
        std::string unused;
        if (!general.counted(uid) || !readUID(uid, unused)) { return false; }
    }
    if (relations.size() < extensionCountLimit) { relations.push_back(std::move(relation)); }
    return true;
}

bool readIdentity(ItemReader content, Identity &identity) {
    if (identity.kind != 0 || content.left < 2) { return false; }
    identity.kind = content.next[0];
    identity.wantsResponse = content.next[1] == 1;
    ItemReader primary{nullptr, 0};
    ItemReader secondary{nullptr, 0};
    if (!content.skip(2) || !content.counted(primary) || !content.counted(secondary) || content.left > 0) {
        return false;
    }
    // 0 is no kind of identity, and here it stands for none.
    if (identity.kind == 0) { return false; }
    identity.primary = Secret(primary.next, primary.left);
    identity.secondary = Secret(secondary.next, secondary.left);
    return true;
}

bool readIdentityResponse(ItemReader content) {
    ItemReader response{nullptr, 0};
    return content.counted(response) && content.left == 0;
}

}  // namespace

Secret &Secret::operator=(Secret &&other) {
    clear();
    bytes_ = std::move(other.bytes_);
    return *this;
}

void Secret::clear() {
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
    bytes_.clear();
}

bool UserInformation::take(uint8_t type, ItemReader content) {
    switch (type) {
    case windowItem: return readWindow(content, window);
    case extensionItem: return readExtension(content, extensions);
    case relationItem: return readRelation(content, relations);
    case identityItem: return readIdentity(content, identity);
    case identityResponseItem:
        isIdentityAnswered = true;
        return readIdentityResponse(content);
    default:
        // Unknown sub-items are ignored, not refused (PS3.8 §9.3.1).
        return true;
    }
}

const Extension *UserInformation::extension(const std::string &abstractSyntax) const {
    const auto found = std::find_if(extensions.begin(), extensions.end(), [&](const Extension &extension) {
        return extension.abstractSyntax == abstractSyntax;
    });
    return found == extensions.end() ? nullptr : &*found;
}

std::string UserInformation::serviceClass(const std::string &abstractSyntax) const {
    const auto found = std::find_if(relations.begin(), relations.end(), [&](const Relation &relation) {
        return relation.abstractSyntax == abstractSyntax;
    });
    return found == relations.end() ? "" : found->serviceClass;
}

void appendWindow(std::vector<uint8_t> &out, uint16_t invoked, uint16_t performed) {
    std::vector<uint8_t> content;
    appendShort(content, invoked);
    appendShort(content, performed);
    appendItem(out, windowItem, content);
}

void appendExtension(std::vector<uint8_t> &out, const std::string &abstractSyntax, HZBytes bytes) {
    std::vector<uint8_t> content;
    appendCounted(content, reinterpret_cast<const uint8_t *>(abstractSyntax.data()), abstractSyntax.size());
    content.insert(content.end(), bytes.bytes, bytes.bytes + bytes.byteCount);
    appendItem(out, extensionItem, content);
}

bool appendIdentity(std::vector<uint8_t> &out, const HZIdentity &identity) {
    const size_t byteCount = 6 + identity.primary.byteCount + identity.secondary.byteCount;
    if (byteCount > countLimit) { return false; }
    std::vector<uint8_t> content{identity.kind, static_cast<uint8_t>(identity.wantsResponse ? 1 : 0)};
    content.reserve(byteCount);
    appendCounted(content, identity.primary.bytes, identity.primary.byteCount);
    appendCounted(content, identity.secondary.bytes, identity.secondary.byteCount);
    appendItem(out, identityItem, content);
    OPENSSL_cleanse(content.data(), content.size());
    return true;
}

bool appendIdentityResponse(std::vector<uint8_t> &out, HZBytes response) {
    if (response.byteCount + 2 > countLimit) { return false; }
    std::vector<uint8_t> content;
    appendCounted(content, response.bytes, response.byteCount);
    appendItem(out, identityResponseItem, content);
    return true;
}

bool addUserInformation(std::vector<uint8_t> &pdu, const std::vector<uint8_t> &items) {
    if (pdu.size() < itemsOffset) { return false; }
    ItemReader reader{pdu.data() + itemsOffset, pdu.size() - itemsOffset};
    while (reader.left > 0) {
        const size_t offset = pdu.size() - reader.left;
        uint8_t type = 0;
        ItemReader content{nullptr, 0};
        if (!reader.item(type, content)) { return false; }
        if (type != userInformationItem) { continue; }
        const size_t count = content.left + items.size();
        if (reader.left > 0 || count > countLimit) { return false; }
        pdu[offset + 2] = static_cast<uint8_t>(count >> 8);
        pdu[offset + 3] = static_cast<uint8_t>(count);
        pdu.insert(pdu.end(), items.begin(), items.end());
        const size_t length = pdu.size() - headByteCount;
        for (size_t i = 0; i < 4; ++i) { pdu[2 + i] = static_cast<uint8_t>(length >> (24 - 8 * i)); }
        return true;
    }
    return false;
}

}  // namespace huizhen
