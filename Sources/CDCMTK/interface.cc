// The C ABI of associations: no exception gets past these functions.
#include <new>
#include <unistd.h>

#include "CDCMTK.h"
#include "association.h"
#include "setup.h"

namespace {

using Side = huizhen::TLSWire::Side;

/// Null for none; an empty one is not null.
HZBytes borrowed(const std::optional<std::vector<uint8_t>> &bytes) {
    static constexpr uint8_t none = 0;
    if (!bytes) { return HZBytes{nullptr, 0}; }
    return HZBytes{bytes->empty() ? &none : bytes->data(), bytes->size()};
}

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
HZFailure opened(const HZOptions &options, Side side, HZAssociation **association, Body body) noexcept {
    std::unique_ptr<HZAssociation> made;
    try {
        huizhen::initialize();
        made = std::make_unique<HZAssociation>(options);
    } catch (...) {
        (void)::close(options.socket);
        return outOfMemory();
    }
    const HZFailure outcome = guarded([&] {
        const HZFailure secured = made->open(options.security, side);
        return secured.status == HZStatusOK ? body(*made) : secured;
    });
    if (outcome.status == HZStatusOK) { *association = made.release(); }
    return outcome;
}

}  // namespace

HZFailure hz_association_receive(const HZOptions *options, HZAssociation **association) {
    return opened(*options, Side::server, association, [](HZAssociation &made) { return made.receive(); });
}

HZFailure hz_association_request(const HZOptions *options, const HZRequest *request, HZAssociation **association) {
    return opened(*options, Side::client, association, [&](HZAssociation &made) { return made.request(*request); });
}

HZFailure hz_association_accept(HZAssociation *association, const HZAcceptance *acceptance) {
    return guarded([&] { return association->accept(*acceptance); });
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

const char *hz_association_tls_version(const HZAssociation *association) { return association->tlsVersion.c_str(); }

HZCertificate hz_association_certificate(const HZAssociation *association) {
    return association->certificate.certificate;
}

const char *hz_association_certificate_name(const HZAssociation *association, size_t index) {
    return association->certificate.names[index].c_str();
}

HZIdentity hz_association_identity(const HZAssociation *association) {
    const auto &identity = association->identity;
    return HZIdentity{identity.kind, identity.wantsResponse, identity.primary.bytes(), identity.secondary.bytes()};
}

void hz_association_forget_identity(HZAssociation *association) { association->identity = huizhen::Identity{}; }

bool hz_association_identity_was_answered(const HZAssociation *association) { return association->isIdentityAnswered; }

HZWindow hz_association_window(const HZAssociation *association) { return association->window; }

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
    out.serviceClass = context.serviceClass.c_str();
    out.proposedExtension = borrowed(context.proposedExtension);
    out.acceptedExtension = borrowed(context.acceptedExtension);
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
