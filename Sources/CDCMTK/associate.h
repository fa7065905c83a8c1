#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "CDCMTK.h"
#include "user_information.h"

namespace huizhen {

/// Largest A-ASSOCIATE PDU that is read, in bytes after its six byte head.
constexpr size_t associatePDUByteCountLimit = 512 * 1024;
/// Presentation contexts of one association: the odd identifiers of one byte.
constexpr size_t contextCountLimit = 128;
/// Transfer syntaxes kept of one proposed context; later ones are not considered.
constexpr size_t transferSyntaxCountLimit = 64;
/// Largest P-DATA-TF PDU in either direction, DCMTK's own bound.
constexpr uint32_t maximumPDULimit = 131072;
constexpr uint32_t minimumPDULimit = 4096;
/// Below this a PDV could not carry a byte pair.
constexpr uint32_t smallestPeerPDU = 16;

struct AssociateContext {
    uint8_t contextID = 0;
    uint8_t result = 0;
    HZRole role = HZRoleDefault;
    std::string abstractSyntax;
    std::vector<std::string> transferSyntaxes;
};

/// An A-ASSOCIATE-RQ or A-ASSOCIATE-AC. PS3.8 §9.3.2 and §9.3.3.
struct Associate {
    std::string calledAETitle;
    std::string callingAETitle;
    std::string applicationContext;
    std::vector<AssociateContext> contexts;
    uint32_t maximumPDU = 0;
    std::string implementationClassUID;
    std::string implementationVersionName;
    uint16_t protocolVersion = 0;
    /// Roles an acceptor answered with, by abstract syntax: its contexts name none.
    std::vector<std::pair<std::string, HZRole>> acceptedRoles;
    /// Read, and written by whoever sends the PDU: DCMTK is not handed it.
    UserInformation user;
};

enum class AssociateKind { request, accept };

/// Reads the body of an A-ASSOCIATE PDU; false if it is ill-formed or beyond a bound.
bool parseAssociate(const uint8_t *body, size_t byteCount, AssociateKind kind, Associate &associate);

/// Writes the PDU, head included, with nothing in it but what `Associate` holds.
std::vector<uint8_t> encodeAssociate(const Associate &associate, AssociateKind kind);

}  // namespace huizhen
