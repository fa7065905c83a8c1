/// TLS below an association (PS3.15 §B.12, BCP 195): certificates, keys, and what a handshake found out.
#ifndef CDCMTK_TLS_H
#define CDCMTK_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__)
#define HZ_CLOSED __attribute__((enum_extensibility(closed)))
#else
#define HZ_CLOSED
#endif

/// Certificate, key, authorities and revocation lists, read and checked; immutable. Any number of threads and
/// associations may use one at once.
typedef struct HZTLSContext HZTLSContext;

/// PEM files; null for one that is not used. Borrowed for the call.
typedef struct HZTLSFiles {
    /// Our certificate, and the intermediate ones after it.
    const char *certificate;
    /// Without a pass phrase; only its owner may have access to the file, and that is this process's user or root.
    const char *key;
    /// Certificates that others' chains may end in.
    const char *authorities;
    /// When set, every certificate of a chain but its end needs a current list of its issuer's.
    const char *revocationLists;
    /// TLS 1.3 only; else 1.2 too.
    bool only13;
} HZTLSFiles;

typedef enum HZ_CLOSED HZTLSFile {
    HZTLSFileNone = 0,
    HZTLSFileCertificate,
    HZTLSFileKey,
    HZTLSFileAuthorities,
    HZTLSFileRevocationLists,
} HZTLSFile;

typedef enum HZ_CLOSED HZTLSProblem {
    HZTLSProblemNone = 0,
    /// `systemError` says why.
    HZTLSProblemUnreadable,
    /// Others than its owner have access to it.
    HZTLSProblemExposed,
    /// Beyond HZ_TLS_FILE_BYTE_COUNT or HZ_TLS_ENTRY_COUNT.
    HZTLSProblemTooLarge,
    /// Not what it should be: no PEM, nothing in it, a pass phrase.
    HZTLSProblemMalformed,
    /// The key belongs to another certificate.
    HZTLSProblemMismatch,
    /// Fewer than 112 bits of security, or a signature by SHA-1.
    HZTLSProblemWeak,
    HZTLSProblemOutOfMemory,
} HZTLSProblem;

typedef struct HZTLSFault {
    HZTLSProblem problem;
    HZTLSFile file;
    int32_t systemError;
} HZTLSFault;

/// Largest file that is read, in bytes.
#define HZ_TLS_FILE_BYTE_COUNT (8 * 1024 * 1024)
/// Most certificates or lists of one file.
#define HZ_TLS_ENTRY_COUNT 1024
/// Bytes of a SHA-256 fingerprint.
#define HZ_TLS_FINGERPRINT_BYTE_COUNT 32

/// Reads and checks the files. `*context` is set only without a fault and must be destroyed once. Any thread.
HZTLSFault hz_tls_context_create(const HZTLSFiles *files, HZTLSContext **context);

/// Associations that use it keep what they need. Null is allowed. Any thread.
void hz_tls_context_destroy(HZTLSContext *context);

/// Reads the first certificate of a PEM file and writes its fingerprint. Any thread.
HZTLSFault hz_tls_fingerprint(const char *path, uint8_t fingerprint[HZ_TLS_FINGERPRINT_BYTE_COUNT]);

/// What an acceptor asks of a requester.
typedef enum HZ_CLOSED HZClientCertificates {
    HZClientCertificatesOff = 0,
    HZClientCertificatesRequested = 1,
    HZClientCertificatesRequired = 2,
} HZClientCertificates;

/// How one association is secured. Borrowed for the call that opens it.
typedef struct HZSecurity {
    const HZTLSContext *context;
    HZClientCertificates clientCertificates;
    /// Host names or addresses of which a server's certificate must hold one; acceptors have none.
    const char *const *names;
    size_t nameCount;
    /// SHA-256 fingerprints, one after another, of certificates that need no authority and no name.
    const uint8_t *pins;
    size_t pinCount;
} HZSecurity;

/// Why a connection is not secure.
typedef enum HZ_CLOSED HZTLSReason {
    HZTLSReasonOther = 0,
    HZTLSReasonNotTLS,
    HZTLSReasonVersion,
    HZTLSReasonNothingShared,
    HZTLSReasonNoCertificate,
    HZTLSReasonUnknownAuthority,
    HZTLSReasonExpired,
    HZTLSReasonRevoked,
    HZTLSReasonNoRevocationList,
    HZTLSReasonRevocationListExpired,
    HZTLSReasonNameMismatch,
    HZTLSReasonInvalidCertificate,
    HZTLSReasonRefusedByPeer,
} HZTLSReason;

/// The other side's certificate.
typedef struct HZCertificate {
    bool isPresent;
    /// Its chain ends in a configured authority and every check passed; else it is only pinned.
    bool isTrusted;
    uint8_t fingerprint[HZ_TLS_FINGERPRINT_BYTE_COUNT];
    /// Names of its SubjectAltName: DNS in lower case, addresses, URIs; at most 64.
    size_t nameCount;
} HZCertificate;

#ifdef __cplusplus
}
#endif
#endif
