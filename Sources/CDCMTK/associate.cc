// DCMTK 3.6.7's own parser of these PDUs leaks memory on several ill-formed inputs and takes any number of
// contexts. So the PDU is read here first, within bounds, and DCMTK is handed a clean copy.
#include "associate.h"

#include <algorithm>
#include <array>
#include <map>

namespace huizhen {

namespace {

constexpr size_t fixedByteCount = 68;
constexpr size_t titleByteCount = 16;
/// Assumed where a peer leaves the mandatory item out.
constexpr uint32_t assumedPeerPDU = 16384;

enum Item : uint8_t {
    applicationContextItem = 0x10,
    requestContextItem = 0x20,
    acceptContextItem = 0x21,
    abstractSyntaxItem = 0x30,
    transferSyntaxItem = 0x40,
    userInformationItem = 0x50,
    maximumLengthItem = 0x51,
    implementationClassItem = 0x52,
    roleItem = 0x54,
    implementationVersionItem = 0x55,
};

/// Text that may be shown: control characters, which could forge a log line, become question marks.
std::string readText(const uint8_t *bytes, size_t count) {
    std::string text = trimmed(bytes, count);
    for (char &c : text) {
        if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) { c = '?'; }
    }
    return text;
}

bool readContext(ItemReader content, AssociateKind kind, AssociateContext &context) {
    if (content.left < 4) { return false; }
    context.contextID = content.next[0];
    context.result = kind == AssociateKind::accept ? content.next[2] : 0;
    if (!content.skip(4)) { return false; }
    // The transfer syntax of a refused context is not significant (PS3.8 §9.3.3.2).
    if (context.result != 0) { return true; }
    while (content.left > 0) {
        uint8_t type = 0;
        ItemReader inner{nullptr, 0};
        if (!content.item(type, inner)) { return false; }
        if (type == abstractSyntaxItem) {
            if (!context.abstractSyntax.empty() || !readUID(inner, context.abstractSyntax)) { return false; }
        } else if (type == transferSyntaxItem) {
            std::string uid;
            if (!readUID(inner, uid)) { return false; }
            if (context.transferSyntaxes.size() < transferSyntaxCountLimit) {
                context.transferSyntaxes.push_back(std::move(uid));
            }
        }
    }
    if (kind == AssociateKind::accept) { return context.transferSyntaxes.size() == 1; }
    return !context.abstractSyntax.empty() && !context.transferSyntaxes.empty();
}

using Roles = std::map<std::string, HZRole>;

bool readRole(ItemReader content, Roles &roles) {
    ItemReader name{nullptr, 0};
    std::string uid;
    if (!content.counted(name) || content.left < 2 || !readUID(name, uid)) { return false; }
    const uint8_t *flags = content.next;
    const int role = (flags[0] == 1 ? HZRoleSCU : 0) | (flags[1] == 1 ? HZRoleSCP : 0);
    roles[uid] = static_cast<HZRole>(role);
    return true;
}

bool readUserInformation(ItemReader content, Associate &associate, Roles &roles) {
    while (content.left > 0) {
        uint8_t type = 0;
        ItemReader inner{nullptr, 0};
        if (!content.item(type, inner)) { return false; }
        switch (type) {
        case maximumLengthItem:
            if (inner.left != 4) { return false; }
            associate.maximumPDU = static_cast<uint32_t>(inner.next[0]) << 24
                | static_cast<uint32_t>(inner.next[1]) << 16 | static_cast<uint32_t>(inner.next[2]) << 8
                | inner.next[3];
            // 0 stands for no limit (PS3.8 §D.1).
            if (associate.maximumPDU == 0) { associate.maximumPDU = maximumPDULimit; }
            break;
        case implementationClassItem:
            associate.implementationClassUID = readText(inner.next, std::min(inner.left, uidByteCountLimit));
            break;
        case implementationVersionItem:
            associate.implementationVersionName = readText(inner.next, std::min(inner.left, titleByteCount));
            break;
        case roleItem:
            if (!readRole(inner, roles)) { return false; }
            break;
        default:
            if (!associate.user.take(type, inner)) { return false; }
            break;
        }
    }
    return true;
}

bool readItems(ItemReader reader, AssociateKind kind, Associate &associate, Roles &roles) {
    std::array<bool, 256> isUsed{};
    while (reader.left > 0) {
        uint8_t type = 0;
        ItemReader content{nullptr, 0};
        if (!reader.item(type, content)) { return false; }
        switch (type) {
        case applicationContextItem:
            if (!readUID(content, associate.applicationContext)) { return false; }
            break;
        case requestContextItem:
        case acceptContextItem: {
            if ((type == requestContextItem) != (kind == AssociateKind::request)) { return false; }
            if (associate.contexts.size() == contextCountLimit) { return false; }
            AssociateContext context;
            if (!readContext(content, kind, context) || isUsed[context.contextID]) { return false; }
            isUsed[context.contextID] = true;
            associate.contexts.push_back(std::move(context));
            break;
        }
        case userInformationItem:
            if (!readUserInformation(content, associate, roles)) { return false; }
            break;
        default:
            break;
        }
    }
    return true;
}

void appendLong(std::vector<uint8_t> &out, uint32_t value) {
    appendShort(out, value >> 16);
    appendShort(out, value & 0xffff);
}

void appendText(std::vector<uint8_t> &out, uint8_t type, const std::string &text) {
    appendItem(out, type, std::vector<uint8_t>(text.begin(), text.end()));
}

void appendTitle(std::vector<uint8_t> &out, const std::string &title) {
    for (size_t i = 0; i < titleByteCount; ++i) {
        out.push_back(i < title.size() ? static_cast<uint8_t>(title[i]) : static_cast<uint8_t>(' '));
    }
}

std::vector<uint8_t> encodeContext(const AssociateContext &context, AssociateKind kind) {
    std::vector<uint8_t> content{context.contextID, 0, context.result, 0};
    if (kind == AssociateKind::request) { appendText(content, abstractSyntaxItem, context.abstractSyntax); }
    for (const auto &uid : context.transferSyntaxes) { appendText(content, transferSyntaxItem, uid); }
    return content;
}

std::vector<uint8_t> encodeUserInformation(const Associate &associate) {
    std::vector<uint8_t> content;
    std::vector<uint8_t> length;
    appendLong(length, associate.maximumPDU);
    appendItem(content, maximumLengthItem, length);
    appendText(content, implementationClassItem, associate.implementationClassUID);
    Roles roles;
    for (const auto &context : associate.contexts) {
        if (context.role != HZRoleDefault && !context.abstractSyntax.empty()) {
            roles[context.abstractSyntax] = context.role;
        }
    }
    for (const auto &[uid, role] : roles) {
        std::vector<uint8_t> item;
        appendCounted(item, reinterpret_cast<const uint8_t *>(uid.data()), uid.size());
        item.push_back((role & HZRoleSCU) != 0 ? 1 : 0);
        item.push_back((role & HZRoleSCP) != 0 ? 1 : 0);
        appendItem(content, roleItem, item);
    }
    appendText(content, implementationVersionItem, associate.implementationVersionName);
    return content;
}

}  // namespace

bool parseAssociate(const uint8_t *body, size_t byteCount, AssociateKind kind, Associate &associate) {
    if (byteCount < fixedByteCount || byteCount > associatePDUByteCountLimit) { return false; }
    associate = Associate{};
    associate.protocolVersion = static_cast<uint16_t>(body[0] << 8 | body[1]);
    associate.calledAETitle = readText(body + 4, titleByteCount);
    associate.callingAETitle = readText(body + 4 + titleByteCount, titleByteCount);
    Roles roles;
    if (!readItems(ItemReader{body + fixedByteCount, byteCount - fixedByteCount}, kind, associate, roles)) {
        return false;
    }
    for (auto &context : associate.contexts) {
        const auto found = roles.find(context.abstractSyntax);
        if (found != roles.end()) { context.role = found->second; }
    }
    if (kind == AssociateKind::accept) {
        associate.acceptedRoles.assign(roles.begin(), roles.end());
    }
    if (associate.maximumPDU == 0) { associate.maximumPDU = assumedPeerPDU; }
    if (associate.maximumPDU < smallestPeerPDU) { return false; }
    associate.maximumPDU = std::min(associate.maximumPDU, maximumPDULimit);
    return true;
}

std::vector<uint8_t> encodeAssociate(const Associate &associate, AssociateKind kind) {
    std::vector<uint8_t> out;
    out.push_back(kind == AssociateKind::request ? 0x01 : 0x02);
    out.push_back(0);
    appendLong(out, 0);
    appendShort(out, associate.protocolVersion);
    appendShort(out, 0);
    appendTitle(out, associate.calledAETitle);
    appendTitle(out, associate.callingAETitle);
    out.insert(out.end(), 32, 0);
    appendText(out, applicationContextItem, associate.applicationContext);
    const uint8_t type = kind == AssociateKind::request ? requestContextItem : acceptContextItem;
    for (const auto &context : associate.contexts) { appendItem(out, type, encodeContext(context, kind)); }
    appendItem(out, userInformationItem, encodeUserInformation(associate));
    const auto length = static_cast<uint32_t>(out.size() - 6);
    for (size_t i = 0; i < 4; ++i) { out[2 + i] = static_cast<uint8_t>(length >> (24 - 8 * i)); }
    return out;
}

}  // namespace huizhen
