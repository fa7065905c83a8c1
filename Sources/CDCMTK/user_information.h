#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "CDCMTK.h"
#include "item_reader.h"

namespace huizhen {

/// Extensions, and service classes, that are kept of one PDU; later ones are not considered.
constexpr size_t extensionCountLimit = 128;
constexpr size_t extensionByteCountLimit = HZ_EXTENSION_BYTE_COUNT;

/// Bytes that are overwritten before their memory is given back.
class Secret {
public:
    Secret() = default;
    Secret(const uint8_t *bytes, size_t count) : bytes_(bytes, bytes + count) {}
    Secret(Secret &&) = default;
    Secret &operator=(Secret &&other);
    Secret(const Secret &) = delete;
    Secret &operator=(const Secret &) = delete;
    ~Secret() { clear(); }

    void clear();
    HZBytes bytes() const { return HZBytes{bytes_.data(), bytes_.size()}; }

private:
    std::vector<uint8_t> bytes_;
};

/// User identity sub-item of a request. PS3.7 §D.3.3.7.1.
struct Identity {
    uint8_t kind = 0;
    bool wantsResponse = false;
    Secret primary;
    Secret secondary;
};

/// SOP class extended negotiation sub-item. PS3.7 §D.3.3.5.
struct Extension {
    std::string abstractSyntax;
    std::vector<uint8_t> bytes;
};

/// SOP class common extended negotiation sub-item, as far as it is used. PS3.7 §D.3.3.6.
struct Relation {
    std::string abstractSyntax;
    std::string serviceClass;
};

/// The sub-items that DCMTK drops or that are not left to it.
struct UserInformation {
    HZWindow window{};
    Identity identity;
    bool isIdentityAnswered = false;
    std::vector<Extension> extensions;
    std::vector<Relation> relations;

    /// Takes one sub-item if it is of these; false if it is ill-formed.
    bool take(uint8_t type, ItemReader content);
    const Extension *extension(const std::string &abstractSyntax) const;
    /// "" for none said.
    std::string serviceClass(const std::string &abstractSyntax) const;
};

void appendWindow(std::vector<uint8_t> &out, uint16_t invoked, uint16_t performed);
void appendExtension(std::vector<uint8_t> &out, const std::string &abstractSyntax, HZBytes bytes);
/// False if a field is beyond what the sub-item can hold.
bool appendIdentity(std::vector<uint8_t> &out, const HZIdentity &identity);
bool appendIdentityResponse(std::vector<uint8_t> &out, HZBytes response);

/// Adds sub-items to the user information of a whole A-ASSOCIATE PDU, whose last item that is.
bool addUserInformation(std::vector<uint8_t> &pdu, const std::vector<uint8_t> &items);

}  // namespace huizhen
