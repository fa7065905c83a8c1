#include "association.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "pdu.h"
#include "sockets.h"

using huizhen::Channel;
using huizhen::ChannelLayer;
using huizhen::failure;

namespace {

/// Guards DCMTK's one global socket handle from when it is set until the association has taken it.
std::mutex externalHandleMutex;

constexpr char standardApplicationContext[] = "1.2.840.10008.3.1.1.1";

uint32_t boundedPDU(uint32_t maximumPDU) {
    return std::clamp(maximumPDU, huizhen::minimumPDULimit, huizhen::maximumPDULimit) & ~1U;
}

/// DCMTK takes descriptor 0 for "none".
int usableSocket(int socket) {
    if (socket > 0) { return socket; }
    const int moved = fcntl(socket, F_DUPFD_CLOEXEC, 3);
    (void)::close(socket);
    return moved;
}

}  // namespace

namespace huizhen {

T_ASC_SC_ROLE toolkitRole(HZRole role) {
    switch (role) {
    case HZRoleSCU: return ASC_SC_ROLE_SCU;
    case HZRoleSCP: return ASC_SC_ROLE_SCP;
    case HZRoleBoth: return ASC_SC_ROLE_SCUSCP;
    default: return ASC_SC_ROLE_DEFAULT;
    }
}

HZFailure failure(HZStatus status, int systemError) {
    HZFailure failure{};
    failure.status = status;
    failure.systemError = systemError;
    return failure;
}

}  // namespace huizhen

HZAssociation::HZAssociation(const HZOptions &options)
    : implementationClassUID(options.implementationClassUID),
      implementationVersionName(options.implementationVersionName), maximumPDU(boundedPDU(options.maximumPDU)),
      channel(usableSocket(options.socket), options.cancellation, options.timeouts, maximumPDU) {}

HZAssociation::~HZAssociation() {
    if (channel.phase() == Channel::Phase::established) { channel.sendAbort(huizhen::abortingUser, 0); }
    channel.lingerAndClose();
    if (association != nullptr) { ASC_destroyAssociation(&association); }
    if (network != nullptr) { ASC_dropNetwork(&network); }
}

/// What the channel says comes first: it knows why; then what DCMTK says.
HZFailure HZAssociation::outcome(const OFCondition &condition) {
    if (channel.hasFailed()) {
        channel.abortIfTimedOut();
        return channel.failure();
    }
    if (condition.good()) { return HZFailure{}; }
    channel.violate(huizhen::invalidParameter);
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
    if (request.applicationContext != standardApplicationContext) {
        channel.sendReject(huizhen::permanentRejection, huizhen::rejectingUser, 2);
    } else if (callingAETitle.empty()) {
        channel.sendReject(huizhen::permanentRejection, huizhen::rejectingUser, 3);
    } else if (calledAETitle.empty()) {
        channel.sendReject(huizhen::permanentRejection, huizhen::rejectingUser, 7);
    } else {
        return HZFailure{};
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
    const T_ASC_SC_ROLE role = huizhen::toolkitRole(context.acceptedRole);
    return ASC_acceptPresentationContext(association->params, context.contextID, answer->transferSyntax, role).good();
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
    return HZFailure{};
}

HZFailure HZAssociation::reject(uint8_t result, uint8_t source, uint8_t reason) {
    if (channel.hasFailed()) { return channel.failure(); }
    if (channel.phase() != Channel::Phase::negotiating) { return failure(HZStatusMisuse); }
    T_ASC_RejectParameters parameters{
        static_cast<T_ASC_RejectParametersResult>(result), static_cast<T_ASC_RejectParametersSource>(source),
        static_cast<T_ASC_RejectParametersReason>(source << 8 | reason)};
    if (ASC_rejectAssociation(association, &parameters).bad()) { return failure(HZStatusMisuse); }
    const HZFailure sent = channel.part() ? HZFailure{} : channel.failure();
    channel.lingerAndClose();
    return sent;
}
