#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tls_context.h"
#include "wire.h"

namespace huizhen {

/// What a handshake found out about the other side.
struct PeerCertificate {
    HZCertificate certificate{};
    std::vector<std::string> names;
};

/// TLS over a socket.
class TLSWire final : public Wire {
public:
    enum class Side { client, server };

    /// `security` is borrowed for the constructor alone; throws `std::bad_alloc`.
    TLSWire(int socket, const HZSecurity &security, Side side);
    ~TLSWire() override;
    TLSWire(const TLSWire &) = delete;
    TLSWire &operator=(const TLSWire &) = delete;

    /// One step of the handshake; `moved` when it is done and the other side's certificate is right.
    Outcome shakeHands();

    Outcome receive(Piece first, Piece second, Arrival &arrival) override;
    Outcome send(Piece first, Piece second, size_t &count) override;
    bool isOpaque() const override { return true; }
    void part() override;

    const PeerCertificate &peer() const { return peer_; }
    const char *version() const { return SSL_get_version(ssl_.get()); }

private:
    static int verify(int isGood, X509_STORE_CTX *store);
    bool mayContinue(X509_STORE_CTX *store, int error);
    bool isPinned(const X509 *certificate) const;
    bool hasName(X509 *certificate) const;
    Outcome concludeHandshake();
    Outcome outcome(int result);
    Outcome classify(unsigned long error);

    Owned<SSL, SSL_free> ssl_;
    Side side_;
    std::vector<std::string> names_;
    std::vector<uint8_t> pins_;
    PeerCertificate peer_;
    /// The first check of the certificate that failed, if any.
    int verifyError_ = X509_V_OK;
    bool isShaken_ = false;
    /// Nothing more may be asked of `ssl_`.
    bool isDead_ = false;
    /// Small pieces and the beginning of a large one, so that they share a record.
    std::unique_ptr<uint8_t[]> record_;
};

}  // namespace huizhen
