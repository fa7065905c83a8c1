#include "association.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "setup.h"
#include "sockets.h"

using huizhen::Channel;
using huizhen::ChannelLayer;

namespace {

/// Guards DCMTK's one global socket handle from when it is set until the association has taken it.
std::mutex externalHandleMutex;

constexpr uint8_t serviceUser = 1;
constexpr uint8_t invalidParameter = 6;
constexpr char standardApplicationContext[] = "1.2.840.10008.3.1.1.1";

HZFailure failure(HZStatus status, int systemError = 0) {
    HZFailure failure{};
    failure.status = status;
    failure.systemError = systemError;
    return failure;
}

const HZFailure success{};

T_ASC_SC_ROLE toolkitRole(HZRole role) {
    switch (role) {
    case HZRoleSCU: return ASC_SC_ROLE_SCU;
    case HZRoleSCP: return ASC_SC_ROLE_SCP;
    case HZRoleBoth: return ASC_SC_ROLE_SCUSCP;
    default: return ASC_SC_ROLE_DEFAULT;
    }
}

uint32_t boundedPDU(uint32_t maximumPDU) {
    return std::clamp(maximumPDU, huizhen::minimumPDULimit, huizhen::maximumPDULimit) & ~1U;
}

bool isTitle(const char *text) {
    const size_t length = std::strlen(text);
    return length > 0 && length <= 16;
}

bool isUID(const char *text) {
    const size_t length = std::strlen(text);
    return length > 0 && length <= 64;
}

bool isProposal(const HZProposal &proposal) {
    const auto *first = proposal.transferSyntaxes;
    const size_t count = proposal.transferSyntaxCount;
    return isUID(proposal.abstractSyntax) && count > 0 && count <= huizhen::transferSyntaxCountLimit
        && std::all_of(first, first + count, isUID);
}

/// DCMTK takes descriptor 0 for "none".
int usableSocket(int socket) {
    if (socket > 0) { return socket; }
    const int moved = fcntl(socket, F_DUPFD_CLOEXEC, 3);
    (void)::close(socket);
    return moved;
}

}  // namespace

HZAssociation::HZAssociation(const HZOptions &options)
    : implementationClassUID(options.implementationClassUID),
      implementationVersionName(options.implementationVersionName), maximumPDU(boundedPDU(options.maximumPDU)),
      channel(usableSocket(options.socket), options.cancellation, options.timeouts, maximumPDU) {}

HZAssociation::~HZAssociation() {
    if (channel.phase() == Channel::Phase::established) { channel.sendAbort(serviceUser, 0); }
    channel.linger();
    if (association != nullptr) { ASC_destroyAssociation(&association); }
    if (network != nullptr) { ASC_dropNetwork(&network); }
}

/// What the channel says comes first: it knows why; then what DCMTK says.
HZFailure HZAssociation::outcome(const OFCondition &condition) {
    if (channel.hasFailed()) {
        channel.abortIfTimedOut();
        return channel.failure();
    }
    if (condition.good()) { return success; }
    channel.violate(invalidParameter);
    return channel.failure();
}

// MARK: Acceptor

HZFailure HZAssociation::receive() {
    peerAddress = huizhen::peerAddress(channel.socket());
    channel.enter(Channel::Phase::awaitRequest);
    OFCondition condition;
    {
        std::unique_lock<std::mutex> lock(externalHandleMutex);
        const auto letGo = [&lock](int) {
            if (!lock.owns_lock()) { return; }
            dcmExternalSocketHandle.set(-1);
            lock.unlock();
        };
        layer = std::make_unique<ChannelLayer>(channel, letGo);
        // While a handle is set, DCMTK opens no listening socket, and "accepts" this one.
        dcmExternalSocketHandle.set(channel.socket());
        condition = ASC_initializeNetwork(NET_ACCEPTOR, 0, 1, &network);
        if (condition.good()) { condition = ASC_setTransportLayer(network, layer.get(), 0); }
        if (condition.good()) {
            condition = ASC_receiveAssociation(network, &association, static_cast<long>(maximumPDU));
        }
        // Not yet released if DCMTK gave up before it took the socket.
        letGo(-1);
    }
    if (const HZFailure failed = outcome(condition); failed.status != HZStatusOK) { return failed; }
    const auto &request = channel.associate();
    channel.enter(Channel::Phase::negotiating);
    callingAETitle = request.callingAETitle;
    calledAETitle = request.calledAETitle;
    peerImplementationClass = request.implementationClassUID;
    peerImplementationVersion = request.implementationVersionName;
    for (const auto &proposed : request.contexts) {
        Context context;
        context.contextID = proposed.contextID;
        context.proposedRole = proposed.role;
        context.abstractSyntax = proposed.abstractSyntax;
        context.transferSyntaxes = proposed.transferSyntaxes;
        contexts.push_back(std::move(context));
    }
    describe(association->params);
    // PS3.8 §9.3.4: refusals that no policy can turn into an acceptance.
    constexpr uint8_t permanent = 1;
    if (request.applicationContext != standardApplicationContext) {
        channel.sendReject(permanent, serviceUser, 2);
    } else if (callingAETitle.empty()) {
        channel.sendReject(permanent, serviceUser, 3);
    } else if (calledAETitle.empty()) {
        channel.sendReject(permanent, serviceUser, 7);
    } else {
        return success;
    }
    channel.fail(HZStatusProtocolViolation);
    return channel.failure();
}

void HZAssociation::describe(T_ASC_Parameters *parameters) const {
    (void)std::snprintf(
        parameters->ourImplementationClassUID, sizeof parameters->ourImplementationClassUID, "%s",
        implementationClassUID.c_str());
    (void)std::snprintf(
        parameters->ourImplementationVersionName, sizeof parameters->ourImplementationVersionName, "%s",
        implementationVersionName.c_str());
}

bool HZAssociation::answer(Context &context, const HZAnswer *answer) {
    constexpr uint8_t noReason = 2;
    if (answer == nullptr || answer->result != 0) {
        const uint8_t result = answer == nullptr ? noReason : std::clamp<uint8_t>(answer->result, 1, 4);
        context.result = result;
        return ASC_refusePresentationContext(
                   association->params, context.contextID, static_cast<T_ASC_P_ResultReason>(result))
            .good();
    }
    const auto &proposed = context.transferSyntaxes;
    if (answer->transferSyntax == nullptr
        || std::find(proposed.begin(), proposed.end(), answer->transferSyntax) == proposed.end()) {
        return false;
    }
    // The acceptor may narrow what was proposed, never widen it (PS3.7 §D.3.3.4).
    context.acceptedRole = static_cast<HZRole>(answer->role & context.proposedRole);
    context.result = 0;
    context.acceptedTransferSyntax = answer->transferSyntax;
    return ASC_acceptPresentationContext(
               association->params, context.contextID, answer->transferSyntax, toolkitRole(context.acceptedRole))
        .good();
}

HZFailure HZAssociation::accept(const HZAnswer *answers, size_t count) {
    if (channel.hasFailed()) { return channel.failure(); }
    if (channel.phase() != Channel::Phase::negotiating) { return failure(HZStatusMisuse); }
    for (auto &context : contexts) {
        const HZAnswer *found = std::find_if(
            answers, answers + count, [&](const HZAnswer &item) { return item.contextID == context.contextID; });
        if (!answer(context, found == answers + count ? nullptr : found)) { return failure(HZStatusMisuse); }
    }
    const HZFailure outcome = this->outcome(ASC_acknowledgeAssociation(association));
    if (outcome.status != HZStatusOK) { return outcome; }
    if (!channel.flush()) { return channel.failure(); }
    return establish();
}

HZFailure HZAssociation::establish() {
    channel.enter(Channel::Phase::established);
    // A P-DATA-TF PDU with one PDV: 4 bytes of PDV length and 2 of PDV head; DCMTK keeps 6 more in reserve.
    maximumPDV = (channel.associate().maximumPDU - 12) & ~static_cast<size_t>(1);
    return success;
}

HZFailure HZAssociation::reject(uint8_t result, uint8_t source, uint8_t reason) {
    if (channel.hasFailed()) { return channel.failure(); }
    if (channel.phase() != Channel::Phase::negotiating) { return failure(HZStatusMisuse); }
    T_ASC_RejectParameters parameters{
        static_cast<T_ASC_RejectParametersResult>(result), static_cast<T_ASC_RejectParametersSource>(source),
        static_cast<T_ASC_RejectParametersReason>(source << 8 | reason)};
    if (ASC_rejectAssociation(association, &parameters).bad()) { return failure(HZStatusMisuse); }
    const bool isSent = channel.part();
    channel.linger();
    return isSent ? success : channel.failure();
}

// MARK: Requester

HZFailure HZAssociation::request(
    const char *calling, const char *called, const HZProposal *proposals, size_t count) {
    if (!isTitle(calling) || !isTitle(called) || count > huizhen::contextCountLimit
        || !std::all_of(proposals, proposals + count, isProposal)) {
        return failure(HZStatusMisuse);
    }
    peerAddress = huizhen::peerAddress(channel.socket());
    keepProposals(proposals, count);
    callingAETitle = calling;
    calledAETitle = called;
    channel.enter(Channel::Phase::awaitReply);
    const HZFailure opened = openRequest(calling, called, proposals, count);
    if (opened.status != HZStatusOK) { return opened; }
    peerImplementationClass = channel.associate().implementationClassUID;
    peerImplementationVersion = channel.associate().implementationVersionName;
    if (!takeAnswers()) {
        channel.violate(invalidParameter);
        return channel.failure();
    }
    return establish();
}

void HZAssociation::keepProposals(const HZProposal *proposals, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        const HZProposal &proposal = proposals[i];
        Context context;
        context.contextID = proposal.contextID;
        context.proposedRole = proposal.role;
        context.abstractSyntax = proposal.abstractSyntax;
        context.transferSyntaxes.assign(
            proposal.transferSyntaxes, proposal.transferSyntaxes + proposal.transferSyntaxCount);
        contexts.push_back(std::move(context));
    }
}

HZFailure HZAssociation::openRequest(
    const char *calling, const char *called, const HZProposal *proposals, size_t count) {
    T_ASC_Parameters *parameters = nullptr;
    if (ASC_createAssociationParameters(&parameters, static_cast<long>(maximumPDU)).bad()) {
        return failure(HZStatusOutOfMemory);
    }
    describe(parameters);
    // DCMTK refuses even and repeated identifiers, and an empty list.
    bool isValid = count > 0 && ASC_setAPTitles(parameters, calling, called, nullptr).good();
    for (size_t i = 0; isValid && i < count; ++i) {
        const HZProposal &proposal = proposals[i];
        auto **syntaxes = const_cast<const char **>(proposal.transferSyntaxes);
        isValid = ASC_addPresentationContext(
                      parameters, proposal.contextID, proposal.abstractSyntax, syntaxes,
                      static_cast<int>(proposal.transferSyntaxCount), toolkitRole(proposal.role))
                      .good();
    }
    if (!isValid) {
        ASC_destroyAssociationParameters(&parameters);
        return failure(HZStatusMisuse);
    }
    return connectRequest(parameters);
}

/// DCMTK 3.6.7 insists on connecting by itself, to IPv4 and without our deadline or cancellation. So it connects to
/// a listener of ours on the loopback address, and the moment it has, that socket is replaced by the one that has
/// already reached the peer: `dup3` puts it under the descriptor DCMTK just opened.
HZFailure HZAssociation::connectRequest(T_ASC_Parameters *parameters) {
    const huizhen::LoopbackListener decoy;
    char address[32];
    (void)std::snprintf(address, sizeof address, "127.0.0.1:%u", static_cast<unsigned>(decoy.port()));
    (void)ASC_setPresentationAddresses(parameters, "localhost", address);
    int replacementError = 0;
    layer = std::make_unique<ChannelLayer>(channel, [this, &replacementError](int socket) {
        if (dup3(channel.socket(), socket, O_CLOEXEC) < 0) {
            replacementError = errno;
            return;
        }
        channel.replaceSocket(socket);
    });
    OFCondition condition = ASC_initializeNetwork(NET_REQUESTOR, 0, 1, &network);
    if (condition.good()) { condition = ASC_setTransportLayer(network, layer.get(), 0); }
    if (decoy.port() == 0 || condition.bad()) {
        ASC_destroyAssociationParameters(&parameters);
        return failure(HZStatusSystemFailure, decoy.error());
    }
    condition = ASC_requestAssociation(network, parameters, &association);
    if (association == nullptr) { ASC_destroyAssociationParameters(&parameters); }
    if (replacementError != 0) { return failure(HZStatusSystemFailure, replacementError); }
    return outcome(condition);
}

/// False if the peer answers what was not proposed.
bool HZAssociation::takeAnswers() {
    const auto &reply = channel.associate();
    for (const auto &given : reply.contexts) {
        const auto found = std::find_if(contexts.begin(), contexts.end(), [&](const Context &context) {
            return context.contextID == given.contextID;
        });
        if (found == contexts.end()) { return false; }
        found->result = given.result;
        if (given.result != 0) { continue; }
        const auto &proposed = found->transferSyntaxes;
        const std::string &chosen = given.transferSyntaxes.front();
        if (std::find(proposed.begin(), proposed.end(), chosen) == proposed.end()) { return false; }
        found->acceptedTransferSyntax = chosen;
        for (const auto &[abstractSyntax, role] : reply.acceptedRoles) {
            if (abstractSyntax == found->abstractSyntax) {
                found->acceptedRole = static_cast<HZRole>(role & found->proposedRole);
            }
        }
    }
    return true;
}

// MARK: Data

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
    if (!hasNext && DUL_NextPDV(&association->DULassociation, &next) == DUL_NOPDVS) {
        channel.setIdle(idle);
        const OFCondition condition = DUL_ReadPDVs(&association->DULassociation, nullptr, DUL_BLOCK, 0);
        if (!channel.hasFailed() && condition == DUL_PEERREQUESTEDRELEASE) {
            isReleasing = true;
            return failure(HZStatusReleased);
        }
        if (condition != DUL_PDATAPDUARRIVED) {
            // A good condition here is one of DCMTK's ways to say that the connection is gone.
            return outcome(condition.good() ? OFCondition(EC_IllegalCall) : condition);
        }
        if (DUL_NextPDV(&association->DULassociation, &next).bad()) { return outcome(EC_IllegalCall); }
    }
    hasNext = false;
    if (accepted(next.presentationContextID) == nullptr) {
        channel.violate(invalidParameter);
        return channel.failure();
    }
    pdv.contextID = next.presentationContextID;
    pdv.isCommand = next.pdvType == DUL_COMMANDPDV;
    pdv.isLast = next.lastPDV;
    pdv.bytes = static_cast<const uint8_t *>(next.data);
    pdv.byteCount = next.fragmentLength;
    return success;
}

bool HZAssociation::hasIncoming() {
    if (channel.hasFailed() || channel.phase() != Channel::Phase::established || isReleasing) { return true; }
    if (!hasNext) { hasNext = DUL_NextPDV(&association->DULassociation, &next).good(); }
    return hasNext || channel.hasIncoming();
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
    return success;
}

// MARK: Parting

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
    channel.enter(Channel::Phase::ended);
    return result;
}

HZFailure HZAssociation::answerRelease() {
    if (channel.hasFailed()) { return channel.failure(); }
    if (channel.phase() != Channel::Phase::established || !isReleasing) { return failure(HZStatusMisuse); }
    const HZFailure result = outcome(ASC_acknowledgeRelease(association));
    if (result.status != HZStatusOK) { return result; }
    const bool isSent = channel.part();
    channel.linger();
    return isSent ? success : channel.failure();
}

void HZAssociation::abort() {
    channel.sendAbort(serviceUser, 0);
    channel.linger();
}
