#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "CDCMTK.h"
#include "associate.h"
#include "tls_wire.h"
#include "wire.h"

namespace huizhen {

/// Bytes read beyond what was asked for: the heads and small PDUs that follow.
constexpr size_t spillByteCount = 64 * 1024;
/// Bytes that gather before they are sent.
constexpr size_t pendingByteCount = 64 * 1024;

/// The byte stream of one association: deadlines, buffers, and the outer form of each PDU.
///
/// DCMTK reads and writes through it and sees only whole, expected PDUs within bounds. The first failure sticks:
/// from then on reads give nothing and writes are swallowed, so that DCMTK never takes its own error paths.
/// Owns the socket. Used by one thread at a time.
class Channel {
public:
    using Clock = std::chrono::steady_clock;

    /// Which PDUs may come next. PS3.8 §9.2.
    enum class Phase { awaitRequest, negotiating, awaitReply, established, awaitRelease, ended };

    Channel(int socket, int cancellation, const HZTimeouts &timeouts, uint32_t maximumPDU);
    ~Channel();
    Channel(const Channel &) = delete;
    Channel &operator=(const Channel &) = delete;

    /// Enters a phase; all but `established` get a deadline as a whole.
    void enter(Phase phase);
    Phase phase() const { return phase_; }
    int socket() const { return wire_->socket(); }
    /// Agrees on TLS within the phase's time; false after a failure. `security` is borrowed for the call.
    bool secure(const HZSecurity &security, TLSWire::Side side);
    /// Null without TLS.
    const TLSWire *tls() const { return tls_; }
    /// Takes `descriptor` in place of the socket, which is closed.
    void replaceSocket(int descriptor);
    void setIdle(int64_t milliseconds);

    /// Gives up to `count` bytes of the next PDU; 0 after a failure.
    size_t read(void *bytes, size_t count);
    /// Bytes of the P-DATA-TF PDU read last, its head left out.
    size_t dataByteCount() const { return dataByteCount_; }
    /// Takes all bytes; what cannot be sent is a sticky failure.
    void write(const void *bytes, size_t count);
    /// Sends what has gathered; false after a failure.
    bool flush();
    /// Whether bytes are there or the connection has ended. Never blocks.
    bool hasIncoming();

    /// Notes a breach of PS3.8 and sends an A-ABORT (service-provider) with `reason`.
    void violate(uint8_t reason);
    /// Sends A-ABORT as far as the peer takes it without delay.
    void sendAbort(uint8_t source, uint8_t reason);
    /// Tells a peer that fell silent on an established association. PS3.8 §9.1.4.
    void abortIfTimedOut();
    /// Sends what has gathered as the last of this side.
    bool part();
    /// Sends A-ASSOCIATE-RJ and ends.
    void sendReject(uint8_t result, uint8_t source, uint8_t reason);
    /// Waits, bounded, for the peer to close, so that a last PDU is not lost to a connection reset; then closes.
    void lingerAndClose();
    /// Whatever comes after is misuse, unless it failed before.
    void close();

    const HZFailure &failure() const { return failure_; }
    bool hasFailed() const { return failure_.status != HZStatusOK; }
    void fail(HZStatus status, int systemError = 0);

    /// What the peer's A-ASSOCIATE PDU said.
    const Associate &associate() const { return associate_; }
    Associate &associate() { return associate_; }
    /// Sub-items to add to the user information of the A-ASSOCIATE PDU that is written next.
    void addUserInformation(std::vector<uint8_t> items) { userInformation_ = std::move(items); }

private:
    using Deadline = Clock::time_point;

    bool beginPDU();
    bool checkHead(uint8_t type, uint32_t byteCount);
    bool takeBody(uint8_t type, uint32_t byteCount, Deadline deadline);
    bool takeAssociate(AssociateKind kind, std::vector<uint8_t> &body);
    void linger();
    bool skipBody(uint32_t byteCount, Deadline deadline);
    size_t receive(uint8_t *bytes, size_t count, Deadline deadline);
    bool send(const uint8_t *bytes, size_t count, Deadline deadline);
    void writeAssociate(const uint8_t *bytes, size_t count);
    Deadline sendingDeadline() const;
    /// Waits until the wire may be tried again; false after a failure.
    bool wait(Wire::Outcome outcome, Deadline deadline);
    void noteEnd(Wire::Outcome outcome);
    bool wait(short events, Deadline deadline);
    Deadline after(int64_t milliseconds) const;

    std::unique_ptr<Wire> wire_;
    TLSWire *tls_ = nullptr;
    int cancellation_;
    HZTimeouts timeouts_;
    int64_t idle_;
    uint32_t maximumPDU_;
    Phase phase_ = Phase::awaitRequest;
    Deadline phaseDeadline_ = Deadline::max();
    HZFailure failure_{};
    Associate associate_;
    std::vector<uint8_t> userInformation_;

    /// A PDU's head, or a whole PDU that was read ahead to be checked.
    std::vector<uint8_t> ready_;
    size_t readyOffset_ = 0;
    uint32_t bodyLeft_ = 0;
    uint32_t dataByteCount_ = 0;
    Deadline pduDeadline_ = Deadline::max();

    std::unique_ptr<uint8_t[]> spill_;
    size_t spillOffset_ = 0;
    size_t spillEnd_ = 0;

    std::unique_ptr<uint8_t[]> pending_;
    size_t pendingCount_ = 0;
    /// Set once part of what was to be sent has gone out and the rest cannot: nothing sensible can follow.
    bool isTorn_ = false;
    bool mayLinger_ = false;
};

}  // namespace huizhen
