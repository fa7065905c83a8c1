#include "tls_wire.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace huizhen {

namespace {

/// Bytes of a full record.
constexpr size_t recordByteCount = SSL3_RT_MAX_PLAIN_LENGTH;
/// Room below this is not worth decrypting into: what is left of the record would be copied anyway.
constexpr size_t directByteCount = 4096;

// MARK: The socket below, without signals and without waiting

int writeSocket(BIO *bio, const char *bytes, size_t count, size_t *written) {
    const auto *wire = static_cast<const TLSWire *>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    ssize_t result = 0;
    do {
        result = send(wire->socket(), bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (result < 0 && errno == EINTR);
    if (result < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) { BIO_set_retry_write(bio); }
        return 0;
    }
    *written = static_cast<size_t>(result);
    return 1;
}

int readSocket(BIO *bio, char *bytes, size_t count, size_t *read) {
    const auto *wire = static_cast<const TLSWire *>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    ssize_t result = 0;
    do {
        result = recv(wire->socket(), bytes, count, MSG_DONTWAIT);
    } while (result < 0 && errno == EINTR);
    if (result > 0) {
        *read = static_cast<size_t>(result);
        return 1;
    }
    if (result == 0) { BIO_set_flags(bio, BIO_FLAGS_IN_EOF); }
    if (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) { BIO_set_retry_read(bio); }
    return 0;
}

long controlSocket(BIO *bio, int command, long, void *) {
    switch (command) {
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    case BIO_CTRL_FLUSH: return 1;
    default: return 0;
    }
}

BIO_METHOD *socketMethod() {
    static BIO_METHOD *const method = [] {
        BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "huizhen socket");
        if (made == nullptr || BIO_meth_set_write_ex(made, writeSocket) != 1
            || BIO_meth_set_read_ex(made, readSocket) != 1 || BIO_meth_set_ctrl(made, controlSocket) != 1) {
            throw std::bad_alloc();
        }
        return made;
    }();
    return method;
}

bool isAddress(const std::string &text) {
    uint8_t bytes[16];
    return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

int verifyMode(const HZSecurity &security, TLSWire::Side side) {
    if (side == TLSWire::Side::client) { return SSL_VERIFY_PEER; }
    switch (security.clientCertificates) {
    case HZClientCertificatesRequired: return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    case HZClientCertificatesRequested: return SSL_VERIFY_PEER;
    default: return SSL_VERIFY_NONE;
    }
}

/// What a certificate that is known byte for byte need not pass: who vouches for it and what it is meant for.
bool isExcusedByPin(int error) {
    switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_CERT_UNTRUSTED: return true;
    default: return false;
    }
}

HZTLSReason reasonOfVerifyError(int error) {
    switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return HZTLSReasonUnknownAuthority;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return HZTLSReasonExpired;
    case X509_V_ERR_CERT_REVOKED: return HZTLSReasonRevoked;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE: return HZTLSReasonNoRevocationList;
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID: return HZTLSReasonRevocationListExpired;
    default: return HZTLSReasonInvalidCertificate;
    }
}

HZTLSReason reasonOfError(unsigned long error) {
    const int reason = ERR_GET_REASON(error);
    if (reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) { return HZTLSReasonVersion; }
    if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) { return HZTLSReasonRefusedByPeer; }
    switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG: return HZTLSReasonNotTLS;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW: return HZTLSReasonVersion;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM: return HZTLSReasonNothingShared;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return HZTLSReasonNoCertificate;
    default: return HZTLSReasonOther;
    }
}

}  // namespace

TLSWire::TLSWire(int socket, const HZSecurity &security, Side side)
    : Wire(socket), ssl_(SSL_new(security.context->context.get())), side_(side),
      names_(security.names, security.names + security.nameCount),
      pins_(security.pins, security.pins + security.pinCount * HZ_TLS_FINGERPRINT_BYTE_COUNT),
      record_(new uint8_t[recordByteCount]) {
    BIO *bio = BIO_new(socketMethod());
    if (!ssl_ || bio == nullptr) {
        BIO_free(bio);
        throw std::bad_alloc();
    }
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_verify(ssl_.get(), verifyMode(security, side), verify);
    if (side == Side::server) {
        SSL_set_accept_state(ssl_.get());
        return;
    }
    SSL_set_connect_state(ssl_.get());
    const auto name = std::find_if_not(names_.begin(), names_.end(), isAddress);
    if (name != names_.end()) { (void)SSL_set_tlsext_host_name(ssl_.get(), name->c_str()); }
}

TLSWire::~TLSWire() = default;

// MARK: Handshake

/// Called by OpenSSL for every check that failed and for every certificate that passed.
int TLSWire::verify(int isGood, X509_STORE_CTX *store) {
    if (isGood == 1) { return 1; }
    const auto *ssl
        = static_cast<const SSL *>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto *wire = static_cast<TLSWire *>(SSL_get_app_data(ssl));
    return wire->mayContinue(store, X509_STORE_CTX_get_error(store)) ? 1 : 0;
}

bool TLSWire::mayContinue(X509_STORE_CTX *store, int error) {
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);
    const int depth = X509_STORE_CTX_get_error_depth(store);
    // The certificate a chain ends in was configured: no list of its issuer's has to vouch for it.
    const bool isEnd = depth > 0 && chain != nullptr && depth == sk_X509_num(chain) - 1;
    if (error == X509_V_ERR_UNABLE_TO_GET_CRL && isEnd && verifyError_ == X509_V_OK) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return true;
    }
    verifyError_ = error;
    const X509 *leaf = X509_STORE_CTX_get0_cert(store);
    return leaf != nullptr && isExcusedByPin(error) && isPinned(leaf);
}

bool TLSWire::isPinned(const X509 *certificate) const {
    uint8_t fingerprint[HZ_TLS_FINGERPRINT_BYTE_COUNT];
    if (!writeFingerprint(certificate, fingerprint)) { return false; }
    for (size_t offset = 0; offset < pins_.size(); offset += sizeof fingerprint) {
        if (std::memcmp(pins_.data() + offset, fingerprint, sizeof fingerprint) == 0) { return true; }
    }
    return false;
}

bool TLSWire::hasName(X509 *certificate) const {
    return std::any_of(names_.begin(), names_.end(), [&](const std::string &name) {
        if (isAddress(name)) { return X509_check_ip_asc(certificate, name.c_str(), 0) == 1; }
        const unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
        return X509_check_host(certificate, name.data(), name.size(), flags, nullptr) == 1;
    });
}

Wire::Outcome TLSWire::shakeHands() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    return result == 1 ? concludeHandshake() : outcome(result);
}

Wire::Outcome TLSWire::concludeHandshake() {
    isShaken_ = true;
    const Owned<X509, X509_free> certificate(SSL_get1_peer_certificate(ssl_.get()));
    if (!certificate) { return Outcome::moved; }
    HZCertificate &found = peer_.certificate;
    found.isPresent = true;
    found.isTrusted = verifyError_ == X509_V_OK;
    if (!writeFingerprint(certificate.get(), found.fingerprint)) { return broke(HZStatusOutOfMemory, 0); }
    if (side_ == Side::client && !isPinned(certificate.get()) && !hasName(certificate.get())) {
        return broke(HZStatusInsecure, 0, HZTLSReasonNameMismatch);
    }
    peer_.names = subjectNames(certificate.get());
    found.nameCount = peer_.names.size();
    return Outcome::moved;
}

/// What became of a call that did not succeed.
Wire::Outcome TLSWire::outcome(int result) {
    const int systemError = errno;
    switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return Outcome::wantsRead;
    case SSL_ERROR_WANT_WRITE: return Outcome::wantsWrite;
    case SSL_ERROR_ZERO_RETURN: return Outcome::ended;
    case SSL_ERROR_SYSCALL:
        isDead_ = true;
        return broke(HZStatusConnectionLost, systemError);
    default:
        isDead_ = true;
        const unsigned long error = ERR_peek_error();
        ERR_clear_error();
        return classify(error);
    }
}

Wire::Outcome TLSWire::classify(unsigned long error) {
    // The connection ended without the other side saying so: what came before may have been cut.
    if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) { return Outcome::ended; }
    if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED && verifyError_ != X509_V_OK) {
        return broke(HZStatusInsecure, 0, reasonOfVerifyError(verifyError_));
    }
    return broke(HZStatusInsecure, 0, reasonOfError(error));
}

// MARK: Data

Wire::Outcome TLSWire::receive(Piece first, Piece second, Arrival &arrival) {
    if (isDead_) { return Outcome::ended; }
    const bool isDirect = first.count >= directByteCount;
    const Piece target = isDirect ? first : second;
    size_t read = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), target.bytes, target.count, &read);
    if (result != 1) { return outcome(result); }
    (isDirect ? arrival.inFirst : arrival.inSecond) = read;
    return Outcome::moved;
}

Wire::Outcome TLSWire::send(Piece first, Piece second, size_t &count) {
    if (isDead_) { return broke(HZStatusConnectionLost, EPIPE); }
    Piece next = first.count > 0 ? first : second;
    if (first.count > 0 && first.count < recordByteCount && second.count > 0) {
        const size_t part = std::min(second.count, recordByteCount - first.count);
        std::memcpy(record_.get(), first.bytes, first.count);
        std::memcpy(record_.get() + first.count, second.bytes, part);
        next = Piece{record_.get(), first.count + part};
    }
    size_t written = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), next.bytes, next.count, &written);
    if (result != 1) { return outcome(result); }
    count = written;
    return Outcome::moved;
}

void TLSWire::part() {
    if (!isShaken_ || isDead_) { return; }
    isDead_ = true;
    ERR_clear_error();
    // Sent or not, nobody waits: what mattered has been acknowledged by the association's own end.
    (void)SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

}  // namespace huizhen
