// Data over an association, and its end.
#include <algorithm>

#include "association.h"
#include "pdu.h"

using huizhen::Channel;
using huizhen::failure;
using huizhen::pdvHeadByteCount;

const HZAssociation::Context *HZAssociation::accepted(uint8_t contextID) const {
    const auto found = std::find_if(contexts.begin(), contexts.end(), [&](const Context &context) {
        return context.contextID == contextID && context.result == 0;
    });
    return found == contexts.end() ? nullptr : &*found;
}

HZFailure HZAssociation::read(int64_t idle, HZPDV &pdv) {
    if (channel.hasFailed()) { return channel.failure(); }
    if (channel.phase() != Channel::Phase::established) { return failure(HZStatusMisuse); }
    if (isReleasing) { return failure(HZStatusReleased); }
    if (dataLeft == 0) {
        const HZFailure outcome = readData(idle);
        if (outcome.status != HZStatusOK) { return outcome; }
    }
    return nextPDV(pdv);
}

/// Lets DCMTK read the next PDU.
HZFailure HZAssociation::readData(int64_t idle) {
    channel.setIdle(idle);
    const OFCondition condition = DUL_ReadPDVs(&association->DULassociation, nullptr, DUL_BLOCK, 0);
    if (!channel.hasFailed() && condition == DUL_PEERREQUESTEDRELEASE) {
        isReleasing = true;
        return failure(HZStatusReleased);
    }
    DUL_PDV first{};
    if (condition != DUL_PDATAPDUARRIVED || DUL_NextPDV(&association->DULassociation, &first).bad()) {
        // A good condition here is one of DCMTK's ways to say that the connection is gone.
        return outcome(condition == DUL_PDATAPDUARRIVED || condition.good() ? EC_IllegalCall : condition);
    }
    data = static_cast<const uint8_t *>(first.data) - pdvHeadByteCount;
    dataLeft = channel.dataByteCount();
    return HZFailure{};
}

/// Takes a PDV from the PDU that was read.
///
/// Not with `DUL_NextPDV`: in 3.6.7 it steps by the wrong PDV's length, so that from the third PDV of a PDU on it reads
/// past the buffer if their lengths differ.
HZFailure HZAssociation::nextPDV(HZPDV &pdv) {
    size_t length = 0;
    if (dataLeft >= pdvHeadByteCount) {
        for (size_t i = 0; i < 4; ++i) { length = length << 8 | data[i]; }
    }
    // The length covers the identifier and the control header (PS3.8 §9.3.5.1).
    if (length < 2 || length > dataLeft - 4 || accepted(data[4]) == nullptr) {
        channel.violate(huizhen::invalidParameter);
        return channel.failure();
    }
    pdv.contextID = data[4];
    pdv.isCommand = (data[5] & 1) != 0;
    pdv.isLast = (data[5] & 2) != 0;
    pdv.bytes = data + pdvHeadByteCount;
    pdv.byteCount = length - 2;
    data += 4 + length;
    dataLeft -= 4 + length;
    return HZFailure{};
}

bool HZAssociation::hasIncoming() {
    if (channel.hasFailed() || channel.phase() != Channel::Phase::established || isReleasing) { return true; }
    return dataLeft > 0 || channel.hasIncoming();
}

HZFailure HZAssociation::write(const HZPDV &pdv) {
    if (channel.hasFailed()) { return channel.failure(); }
    if (channel.phase() != Channel::Phase::established || accepted(pdv.contextID) == nullptr) {
        return failure(HZStatusMisuse);
    }
    DUL_PDV item{};
    item.fragmentLength = pdv.byteCount;
    item.presentationContextID = pdv.contextID;
    item.pdvType = pdv.isCommand ? DUL_COMMANDPDV : DUL_DATASETPDV;
    item.lastPDV = pdv.isLast;
    item.data = const_cast<uint8_t *>(pdv.bytes);
    DUL_PDVLIST list{};
    list.count = 1;
    list.pdv = &item;
    return outcome(DUL_WritePDVs(&association->DULassociation, &list));
}

HZFailure HZAssociation::flush() {
    if (!channel.flush()) { return outcome(EC_Normal); }
    return HZFailure{};
}

HZFailure HZAssociation::release() {
    if (channel.hasFailed()) { return channel.failure(); }
    if (channel.phase() != Channel::Phase::established || isReleasing) { return failure(HZStatusMisuse); }
    channel.enter(Channel::Phase::awaitRelease);
    OFCondition condition = ASC_releaseAssociation(association);
    if (!channel.hasFailed() && condition == DUL_PEERREQUESTEDRELEASE) {
        // Both asked at once: the requester answers first and then waits for its own answer (PS3.8 §9.2, AR-8).
        condition = ASC_acknowledgeRelease(association);
        if (condition.good()) {
            condition = DUL_ReadPDVs(&association->DULassociation, nullptr, DUL_BLOCK, 0);
        }
    }
    const HZFailure result = outcome(condition);
    channel.close();
    return result;
}

HZFailure HZAssociation::answerRelease() {
    if (channel.hasFailed()) { return channel.failure(); }
    if (channel.phase() != Channel::Phase::established || !isReleasing) { return failure(HZStatusMisuse); }
    const HZFailure written = outcome(ASC_acknowledgeRelease(association));
    if (written.status != HZStatusOK) { return written; }
    const HZFailure result = channel.part() ? HZFailure{} : channel.failure();
    channel.lingerAndClose();
    return result;
}

void HZAssociation::abort() {
    channel.sendAbort(huizhen::abortingUser, 0);
    channel.lingerAndClose();
}
