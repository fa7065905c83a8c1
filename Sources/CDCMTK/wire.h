#pragma once

#include <cstddef>
#include <cstdint>

#include "CDCMTK.h"

namespace huizhen {

/// The bytes of one connection as they go to and come from its socket, which it does not own. Never waits.
class Wire {
public:
    enum class Outcome { moved, wantsRead, wantsWrite, ended, broken };

    /// Bytes and room for them, one after the other.
    struct Piece {
        uint8_t *bytes;
        size_t count;
    };

    virtual ~Wire() = default;

    /// What came: bytes into the one place come before those in the other.
    struct Arrival {
        size_t inFirst = 0;
        size_t inSecond = 0;
    };

    /// Fills `first`, then `second`; or `second` alone.
    virtual Outcome receive(Piece first, Piece second, Arrival &arrival) = 0;
    /// Takes from `first`, then from `second`; after `wantsWrite` it must be given the same bytes again.
    virtual Outcome send(Piece first, Piece second, size_t &count) = 0;
    /// Whether only a `receive` tells if something is there, not the socket.
    virtual bool isOpaque() const { return false; }
    /// Says that nothing follows.
    virtual void part() {}

    void setSocket(int socket) { socket_ = socket; }
    int socket() const { return socket_; }

    /// Why it is broken.
    HZStatus status() const { return status_; }
    int systemError() const { return systemError_; }
    HZTLSReason reason() const { return reason_; }

protected:
    explicit Wire(int socket) : socket_(socket) {}

    Outcome broke(HZStatus status, int systemError, HZTLSReason reason = HZTLSReasonOther) {
        status_ = status;
        systemError_ = systemError;
        reason_ = reason;
        return Outcome::broken;
    }

private:
    int socket_;
    HZStatus status_ = HZStatusOK;
    int systemError_ = 0;
    HZTLSReason reason_ = HZTLSReasonOther;
};

/// Bytes as they are.
class PlainWire final : public Wire {
public:
    explicit PlainWire(int socket) : Wire(socket) {}

    Outcome receive(Piece first, Piece second, Arrival &arrival) override;
    Outcome send(Piece first, Piece second, size_t &count) override;
};

}  // namespace huizhen
