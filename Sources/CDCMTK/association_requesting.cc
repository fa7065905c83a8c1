// Asking for an association.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "association.h"
#include "pdu.h"
#include "sockets.h"

using huizhen::Channel;
using huizhen::ChannelLayer;
using huizhen::failure;

namespace {

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
        && proposal.extension.byteCount <= HZ_EXTENSION_BYTE_COUNT && std::all_of(first, first + count, isUID);
}

}  // namespace

HZFailure HZAssociation::request(const HZRequest &request) {
    const size_t count = request.proposalCount;
    if (!isTitle(request.callingAETitle) || !isTitle(request.calledAETitle) || count > huizhen::contextCountLimit
        || !std::all_of(request.proposals, request.proposals + count, isProposal)) {
        return failure(HZStatusMisuse);
    }
    keepProposals(request.proposals, count);
    callingAETitle = request.callingAETitle;
    calledAETitle = request.calledAETitle;
    if (!addUserInformation(request)) { return failure(HZStatusMisuse); }
    const HZFailure opened = openRequest(request);
    if (opened.status != HZStatusOK) { return opened; }
    peerImplementationClass = channel.associate().implementationClassUID;
    peerImplementationVersion = channel.associate().implementationVersionName;
    if (!takeAnswers()) {
        channel.violate(huizhen::invalidParameter);
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
        if (proposal.extension.bytes != nullptr) {
            const HZBytes extension = proposal.extension;
            context.proposedExtension.emplace(extension.bytes, extension.bytes + extension.byteCount);
        }
        contexts.push_back(std::move(context));
    }
}

/// What DCMTK does not write.
bool HZAssociation::addUserInformation(const HZRequest &request) {
    std::vector<uint8_t> items;
    std::vector<std::string> written;
    for (const auto &context : contexts) {
        const bool isWritten = std::find(written.begin(), written.end(), context.abstractSyntax) != written.end();
        if (!context.proposedExtension || isWritten) { continue; }
        const HZBytes bytes{context.proposedExtension->data(), context.proposedExtension->size()};
        huizhen::appendExtension(items, context.abstractSyntax, bytes);
        written.push_back(context.abstractSyntax);
    }
    if (request.identity.kind != 0 && !huizhen::appendIdentity(items, request.identity)) { return false; }
    channel.addUserInformation(std::move(items));
    return true;
}

HZFailure HZAssociation::openRequest(const HZRequest &request) {
    T_ASC_Parameters *parameters = nullptr;
    if (ASC_createAssociationParameters(&parameters, static_cast<long>(maximumPDU)).bad()) {
        return failure(HZStatusOutOfMemory);
    }
    describe(parameters);
    // DCMTK refuses even and repeated identifiers, and an empty list.
    bool isValid = request.proposalCount > 0
        && ASC_setAPTitles(parameters, request.callingAETitle, request.calledAETitle, nullptr).good();
    for (size_t i = 0; isValid && i < request.proposalCount; ++i) {
        const HZProposal &proposal = request.proposals[i];
        // A role belongs to a SOP class and is proposed once.
        const bool isFirst = std::none_of(contexts.begin(), contexts.begin() + static_cast<ptrdiff_t>(i), [&](
            const Context &earlier) { return earlier.abstractSyntax == contexts[i].abstractSyntax; });
        auto **syntaxes = const_cast<const char **>(proposal.transferSyntaxes);
        isValid = ASC_addPresentationContext(
                      parameters, proposal.contextID, proposal.abstractSyntax, syntaxes,
                      static_cast<int>(proposal.transferSyntaxCount),
                      isFirst ? huizhen::toolkitRole(proposal.role) : ASC_SC_ROLE_DEFAULT)
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
    isIdentityAnswered = reply.user.isIdentityAnswered;
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
        if (const auto *extension = reply.user.extension(found->abstractSyntax)) {
            if (found->proposedExtension) { found->acceptedExtension = extension->bytes; }
        }
        for (const auto &[abstractSyntax, role] : reply.acceptedRoles) {
            if (abstractSyntax == found->abstractSyntax) {
                found->acceptedRole = static_cast<HZRole>(role & found->proposedRole);
            }
        }
    }
    return true;
}
