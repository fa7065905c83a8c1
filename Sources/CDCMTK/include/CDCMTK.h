/// C ABI over DCMTK's DICOM upper layer (PS3.8), at the level of PDVs.
///
/// No policy and no DIMSE knowledge. No C++ exception leaves. Nothing is logged.
/// An association belongs to one thread at a time; waking it from another thread goes through
/// its cancellation descriptor (an eventfd of the caller's that must outlive it).
#ifndef CDCMTK_H
#define CDCMTK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CDCMTKTLS.h"

#ifdef __cplusplus
extern "C" {
#endif

/// How a call ended.
typedef enum HZ_CLOSED HZStatus {
    HZStatusOK = 0,
    /// The peer asks for release (answer it) or has just been released.
    HZStatusReleased,
    /// The peer aborted; `source` and `reason` are set.
    HZStatusAborted,
    /// The peer refused the association; `result`, `source` and `reason` are set.
    HZStatusRejected,
    HZStatusTimedOut,
    HZStatusConnectionLost,
    HZStatusCancelled,
    /// The peer broke PS3.8; an A-ABORT (or A-ASSOCIATE-RJ) has been sent where one could be.
    HZStatusProtocolViolation,
    HZStatusNameNotResolved,
    /// The operating system refused; `systemError` is its errno.
    HZStatusSystemFailure,
    /// The caller's arguments do not fit the association's state.
    HZStatusMisuse,
    HZStatusOutOfMemory,
    /// TLS was not agreed or was broken; `security` says why.
    HZStatusInsecure,
} HZStatus;

typedef struct HZFailure {
    HZStatus status;
    int32_t systemError;
    uint8_t result;
    uint8_t source;
    uint8_t reason;
    HZTLSReason security;
} HZFailure;

/// Roles of the association's requester. PS3.7 §D.3.3.4.
typedef enum HZ_CLOSED HZRole {
    HZRoleDefault = 0,
    HZRoleSCU = 1,
    HZRoleSCP = 2,
    HZRoleBoth = 3,
} HZRole;

/// Milliseconds; each must be positive.
typedef struct HZTimeouts {
    /// Whole negotiation, and the wait for the answer to a release. PS3.8 §9.1.5.
    int64_t artim;
    /// Silence between two PDUs.
    int64_t idle;
    /// One PDU, from its first byte to its last.
    int64_t pdu;
} HZTimeouts;

/// What both sides of a negotiation need. Strings are borrowed for the call.
typedef struct HZOptions {
    /// A connected stream socket; always consumed, also on failure.
    int socket;
    /// Readable once the association is to be given up; borrowed for the association's life; -1 for none.
    int cancellation;
    HZTimeouts timeouts;
    /// Largest P-DATA-TF PDU to receive, 4096...131072.
    uint32_t maximumPDU;
    const char *implementationClassUID;
    const char *implementationVersionName;
    /// Null for none.
    const HZSecurity *security;
} HZOptions;

typedef struct HZAssociation HZAssociation;

/// Bytes that are borrowed; null for none at all.
typedef struct HZBytes {
    const uint8_t *bytes;
    size_t byteCount;
} HZBytes;

/// One presentation context. Strings live until the association changes it or is destroyed.
typedef struct HZContext {
    uint8_t contextID;
    /// 0 accepted, 1...4 refused (PS3.8 §9.3.3.2), 255 not answered yet.
    uint8_t result;
    HZRole proposedRole;
    HZRole acceptedRole;
    const char *abstractSyntax;
    /// Null unless accepted.
    const char *acceptedTransferSyntax;
    size_t transferSyntaxCount;
    /// Service class the requester says the abstract syntax belongs to, "" for none said. PS3.7 §D.3.3.6.
    const char *serviceClass;
    HZBytes proposedExtension;
    HZBytes acceptedExtension;
} HZContext;

/// A proposed presentation context, for a request.
typedef struct HZProposal {
    uint8_t contextID;
    HZRole role;
    const char *abstractSyntax;
    const char *const *transferSyntaxes;
    size_t transferSyntaxCount;
    /// Service class application information, of which the abstract syntax's first counts. PS3.7 §D.3.3.5.
    HZBytes extension;
} HZProposal;

/// An answer to a proposed presentation context.
typedef struct HZAnswer {
    uint8_t contextID;
    /// 0 accepts; 1...4 refuses.
    uint8_t result;
    HZRole role;
    /// Needed to accept.
    const char *transferSyntax;
    /// As in a proposal; sent only if one was proposed.
    HZBytes extension;
} HZAnswer;

/// Most bytes of an extension that are read or sent.
#define HZ_EXTENSION_BYTE_COUNT 64

/// Who the requester says its user is. PS3.7 §D.3.3.7.
typedef struct HZIdentity {
    /// 1 name, 2 name and passcode, 3 Kerberos, 4 SAML, 5 JSON web token; 0 for no identity.
    uint8_t kind;
    bool wantsResponse;
    HZBytes primary;
    HZBytes secondary;
} HZIdentity;

/// Operations at a time, 0 for any number. PS3.7 §D.3.3.3.
typedef struct HZWindow {
    bool isProposed;
    uint16_t invoked;
    uint16_t performed;
} HZWindow;

typedef struct HZAcceptance {
    const HZAnswer *answers;
    size_t answerCount;
    /// Null `bytes`: the identity is not answered; an answer may be empty.
    HZBytes identityResponse;
} HZAcceptance;

/// What to ask for.
typedef struct HZRequest {
    const char *callingAETitle;
    const char *calledAETitle;
    const HZProposal *proposals;
    size_t proposalCount;
    HZIdentity identity;
} HZRequest;

typedef struct HZPDV {
    uint8_t contextID;
    bool isCommand;
    bool isLast;
    const uint8_t *bytes;
    size_t byteCount;
} HZPDV;

/// Prepares DCMTK: logging off, no reverse DNS, SIGPIPE ignored. Any thread, any number of times.
void hz_initialize(void);

/// Whether DCMTK found its data dictionary. Any thread.
bool hz_dictionary_is_loaded(void);

/// Reads the A-ASSOCIATE-RQ. `*association` is set only on success and must be destroyed once.
/// Ill-formed requests are answered here. Blocks up to `timeouts.artim`.
HZFailure hz_association_receive(const HZOptions *options, HZAssociation **association);

/// Answers every proposed context (those without an answer are refused) and sends A-ASSOCIATE-AC.
/// A proposed window is answered with one operation at a time.
HZFailure hz_association_accept(HZAssociation *association, const HZAcceptance *acceptance);

/// Sends A-ASSOCIATE-RJ and waits, bounded, for the peer to close.
HZFailure hz_association_reject(HZAssociation *association, uint8_t result, uint8_t source, uint8_t reason);

/// Sends A-ASSOCIATE-RQ and waits for the answer. `*association` is set only on success.
HZFailure hz_association_request(const HZOptions *options, const HZRequest *request, HZAssociation **association);

/// Borrowed until the association is destroyed; never null.
const char *hz_association_calling_title(const HZAssociation *association);
const char *hz_association_called_title(const HZAssociation *association);
const char *hz_association_peer_implementation_class(const HZAssociation *association);
const char *hz_association_peer_implementation_version(const HZAssociation *association);
/// The peer's numeric address, "" if it has none.
const char *hz_association_peer_address(const HZAssociation *association);
/// The protocol's name, "" without TLS.
const char *hz_association_tls_version(const HZAssociation *association);
HZCertificate hz_association_certificate(const HZAssociation *association);
/// `index` must be below the certificate's count.
const char *hz_association_certificate_name(const HZAssociation *association, size_t index);
/// As proposed; lives until it is forgotten.
HZIdentity hz_association_identity(const HZAssociation *association);
/// Overwrites the identity.
void hz_association_forget_identity(HZAssociation *association);
/// Whether the acceptor answered the identity we sent.
bool hz_association_identity_was_answered(const HZAssociation *association);
HZWindow hz_association_window(const HZAssociation *association);
size_t hz_association_context_count(const HZAssociation *association);
/// `index` must be below the count.
HZContext hz_association_context(const HZAssociation *association, size_t index);
/// Both indices must be below their counts.
const char *hz_association_transfer_syntax(const HZAssociation *association, size_t context, size_t index);
/// Payload bytes of one PDV towards the peer; even.
size_t hz_association_maximum_pdv(const HZAssociation *association);

/// Waits for the next PDV. `pdv->bytes` stay valid until the next read or the end of the association.
/// `idle` in milliseconds, negative for the association's own.
HZFailure hz_association_read(HZAssociation *association, int64_t idle, HZPDV *pdv);

/// Whether a read would find something, the end of the connection included. Never blocks.
bool hz_association_has_incoming(HZAssociation *association);

/// Queues one PDV, longer payloads as several; small ones gather until a flush, a read or a full buffer.
HZFailure hz_association_write(HZAssociation *association, const HZPDV *pdv);

/// Sends what has gathered.
HZFailure hz_association_flush(HZAssociation *association);

/// Requests release, waits for the answer, closes.
HZFailure hz_association_release(HZAssociation *association);

/// Answers the peer's request for release and waits, bounded, for it to close.
HZFailure hz_association_answer_release(HZAssociation *association);

/// Sends A-ABORT (service-user) and waits, bounded, for the peer to close.
void hz_association_abort(HZAssociation *association);

/// Frees everything and closes the socket; an open association is aborted first. Null is allowed.
void hz_association_destroy(HZAssociation *association);

/// Listens on a numeric IPv4 or IPv6 address. On success `*socket` is the caller's.
HZFailure hz_socket_listen(const char *address, uint16_t port, int backlog, int *socket, uint16_t *boundPort);

/// Longest numeric address with scope, NUL included.
#define HZ_ADDRESS_BYTE_COUNT 80

/// Accepts from any of `count` (at most 16) listening sockets.
/// `timeout` in milliseconds, negative for none. `address` takes HZ_ADDRESS_BYTE_COUNT bytes.
HZFailure hz_socket_accept(
    const int *listeners, size_t count, int cancellation, int64_t timeout, int *socket, char *address, uint16_t *port);

/// Connects to a name or numeric address. `timeout` in milliseconds covers all its addresses, not the resolver.
HZFailure hz_socket_connect(const char *host, uint16_t port, int cancellation, int64_t timeout, int *socket);

/// An eventfd for cancellation, or -1 with errno set.
int hz_cancellation_create(void);
void hz_cancellation_signal(int descriptor);
void hz_descriptor_close(int descriptor);

#ifdef __cplusplus
}
#endif
#endif
