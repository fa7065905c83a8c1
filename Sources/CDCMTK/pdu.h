#pragma once

#include <cstdint>

namespace huizhen {

constexpr uint32_t headByteCount = 6;
/// The body of every PDU but A-ASSOCIATE-RQ, -AC and P-DATA-TF.
constexpr uint32_t shortBodyByteCount = 4;
/// A PDV's length, context identifier and message control header, the least a P-DATA-TF PDU holds. PS3.8 §9.3.5.1.
constexpr uint32_t pdvHeadByteCount = 6;

/// PS3.8 §9.3.1.
enum PDUType : uint8_t {
    requestPDU = 0x01,
    acceptPDU = 0x02,
    rejectPDU = 0x03,
    dataPDU = 0x04,
    releaseRequestPDU = 0x05,
    releaseReplyPDU = 0x06,
    abortPDU = 0x07,
};

/// Sources of A-ABORT, which count otherwise than those of A-ASSOCIATE-RJ. PS3.8 §9.3.8.
enum AbortSource : uint8_t { abortingUser = 0, abortingProvider = 2 };

/// Reasons of A-ABORT by the service provider. PS3.8 §9.3.8.
enum AbortReason : uint8_t { unspecified = 0, unrecognizedPDU = 1, unexpectedPDU = 2, invalidParameter = 6 };

/// Sources and results of A-ASSOCIATE-RJ. PS3.8 §9.3.4.
enum RejectSource : uint8_t { rejectingUser = 1, rejectingACSE = 2 };
constexpr uint8_t permanentRejection = 1;

}  // namespace huizhen
