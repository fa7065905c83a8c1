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

// MARK: Opening

HZFailure HZAssociation::open(const HZSecurity *security, huizhen::TLSWire::Side side) {
    peerAddress = huizhen::peerAddress(channel.socket());
    const bool isAcceptor = side == huizhen::TLSWire::Side::server;
    channel.enter(isAcceptor ? Channel::Phase::awaitRequest : Channel::Phase::awaitReply);
    if (security == nullptr) { return HZFailure{}; }
    if (!channel.secure(*security, side)) { return channel.failure(); }
    certificate = channel.tls()->peer();
    tlsVersion = channel.tls()->version();
    return HZFailure{};
}

HZFailure HZAssociation::receive() {
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
    auto &request = channel.associate();
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
        if (const auto *extension = request.user.extension(proposed.abstractSyntax)) {
            context.proposedExtension = extension->bytes;
        }
        context.serviceClass = request.user.serviceClass(proposed.abstractSyntax);
        contexts.push_back(std::move(context));
    }
    window = request.user.window;
    identity = std::move(request.user.identity);
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
    if (answer->extension.bytes != nullptr && context.proposedExtension) {
        const HZBytes extension = answer->extension;
        context.acceptedExtension.emplace(extension.bytes, extension.bytes + extension.byteCount);
    }
    // A role belongs to a SOP class and is answered once; DCMTK would answer it with every context.
    const bool isFirst = isFirstOfItsClass(context);
    const T_ASC_SC_ROLE role = isFirst ? huizhen::toolkitRole(context.acceptedRole) : ASC_SC_ROLE_DEFAULT;
    return ASC_acceptPresentationContext(association->params, context.contextID, answer->transferSyntax, role).good();
}

/// Whether no accepted context before this one has its abstract syntax.
bool HZAssociation::isFirstOfItsClass(const Context &context) const {
    return std::none_of(contexts.data(), &context, [&](const Context &earlier) {
        return earlier.result == 0 && earlier.abstractSyntax == context.abstractSyntax;
    });
}

/// What DCMTK does not write.
bool HZAssociation::addUserInformation(const HZAcceptance &acceptance) {
    std::vector<uint8_t> items;
    if (window.isProposed) { huizhen::appendWindow(items, 1, 1); }
    for (const auto &context : contexts) {
        if (!context.acceptedExtension || !isFirstOfItsClass(context)) { continue; }
        const HZBytes bytes{context.acceptedExtension->data(), context.acceptedExtension->size()};
        huizhen::appendExtension(items, context.abstractSyntax, bytes);
    }
    const bool isAnswered = acceptance.identityResponse.bytes != nullptr;
    if (isAnswered && !huizhen::appendIdentityResponse(items, acceptance.identityResponse)) { return false; }
    channel.addUserInformation(std::move(items));
    return true;
}

HZFailure HZAssociation::accept(const HZAcceptance &acceptance) {
    if (channel.hasFailed()) { return channel.failure(); }
    if (channel.phase() != Channel::Phase::negotiating) { return failure(HZStatusMisuse); }
    const HZAnswer *end = acceptance.answers + acceptance.answerCount;
    const bool areExtensionsBounded = std::all_of(acceptance.answers, end, [](const HZAnswer &item) {
        return item.extension.byteCount <= HZ_EXTENSION_BYTE_COUNT;
    });
    if (!areExtensionsBounded) { return failure(HZStatusMisuse); }
    for (auto &context : contexts) {
        const HZAnswer *found = std::find_if(acceptance.answers, end, [&](const HZAnswer &item) {
            return item.contextID == context.contextID;
        });
        if (!answer(context, found == end ? nullptr : found)) { return failure(HZStatusMisuse); }
    }
    if (!addUserInformation(acceptance)) { return failure(HZStatusMisuse); }
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
