// The C ABI of associations: no exception gets past these functions.
#include <new>
#include <unistd.h>

#include "CDCMTK.h"
#include "association.h"
#include "setup.h"

namespace {

HZFailure outOfMemory() {
    HZFailure failure{};
    failure.status = HZStatusOutOfMemory;
    return failure;
}

/// Nothing below throws but for want of memory.
template <typename Body>
HZFailure guarded(Body body) noexcept {
    try {
        return body();
    } catch (...) {
        return outOfMemory();
    }
}

/// Makes the association, which owns the socket from its first line on, and lets `body` open it.
template <typename Body>
HZFailure opened(const HZOptions &options, HZAssociation **association, Body body) noexcept {
    std::unique_ptr<HZAssociation> made;
    try {
        huizhen::initialize();
        made = std::make_unique<HZAssociation>(options);
    } catch (...) {
        (void)::close(options.socket);
        return outOfMemory();
    }
    const HZFailure outcome = guarded([&] { return body(*made); });
    if (outcome.status == HZStatusOK) { *association = made.release(); }
    return outcome;
}

}  // namespace

HZFailure hz_association_receive(const HZOptions *options, HZAssociation **association) {
    return opened(*options, association, [](HZAssociation &made) { return made.receive(); });
}

HZFailure hz_association_request(
    const HZOptions *options, const char *callingAETitle, const char *calledAETitle, const HZProposal *proposals,
    size_t count, HZAssociation **association) {
    return opened(*options, association, [&](HZAssociation &made) {
        return made.request(callingAETitle, calledAETitle, proposals, count);
    });
}

HZFailure hz_association_accept(HZAssociation *association, const HZAnswer *answers, size_t count) {
    return guarded([&] { return association->accept(answers, count); });
}

HZFailure hz_association_reject(HZAssociation *association, uint8_t result, uint8_t source, uint8_t reason) {
    return guarded([&] { return association->reject(result, source, reason); });
}

const char *hz_association_calling_title(const HZAssociation *association) {
    return association->callingAETitle.c_str();
}

const char *hz_association_called_title(const HZAssociation *association) {
    return association->calledAETitle.c_str();
}

const char *hz_association_peer_implementation_class(const HZAssociation *association) {
    return association->peerImplementationClass.c_str();
}

const char *hz_association_peer_implementation_version(const HZAssociation *association) {
    return association->peerImplementationVersion.c_str();
}

const char *hz_association_peer_address(const HZAssociation *association) {
    return association->peerAddress.c_str();
}

size_t hz_association_context_count(const HZAssociation *association) { return association->contexts.size(); }

HZContext hz_association_context(const HZAssociation *association, size_t index) {
    const auto &context = association->contexts[index];
    HZContext out{};
    out.contextID = context.contextID;
    out.result = context.result;
    out.proposedRole = context.proposedRole;
    out.acceptedRole = context.acceptedRole;
    out.abstractSyntax = context.abstractSyntax.c_str();
    out.acceptedTransferSyntax = context.result == 0 ? context.acceptedTransferSyntax.c_str() : nullptr;
    out.transferSyntaxCount = context.transferSyntaxes.size();
    return out;
}

const char *hz_association_transfer_syntax(const HZAssociation *association, size_t context, size_t index) {
    return association->contexts[context].transferSyntaxes[index].c_str();
}

size_t hz_association_maximum_pdv(const HZAssociation *association) { return association->maximumPDV; }

HZFailure hz_association_read(HZAssociation *association, int64_t idle, HZPDV *pdv) {
    return guarded([&] { return association->read(idle, *pdv); });
}

bool hz_association_has_incoming(HZAssociation *association) {
    try {
        return association->hasIncoming();
    } catch (...) {
        return true;
    }
}

HZFailure hz_association_write(HZAssociation *association, const HZPDV *pdv) {
    return guarded([&] { return association->write(*pdv); });
}

HZFailure hz_association_flush(HZAssociation *association) {
    return guarded([&] { return association->flush(); });
}

HZFailure hz_association_release(HZAssociation *association) {
    return guarded([&] { return association->release(); });
}

HZFailure hz_association_answer_release(HZAssociation *association) {
    return guarded([&] { return association->answerRelease(); });
}

void hz_association_abort(HZAssociation *association) {
    (void)guarded([&] {
        association->abort();
        return HZFailure{};
    });
}

void hz_association_destroy(HZAssociation *association) { delete association; }
