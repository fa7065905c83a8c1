#pragma once

#include <sys/types.h>

#include <functional>
#include <utility>

#include "channel.h"

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmnet/dcmlayer.h"
#include "dcmtk/dcmnet/dcmtrans.h"

namespace huizhen {

/// DCMTK's view of a channel. DCMTK deletes it when it pleases; the channel and its socket outlive it.
class ChannelConnection final : public DcmTCPConnection {
public:
    ChannelConnection(DcmNativeSocketType socket, Channel &channel) : DcmTCPConnection(socket), channel_(channel) {}
    ~ChannelConnection() override { forget(); }

    ssize_t read(void *bytes, size_t count) override { return static_cast<ssize_t>(channel_.read(bytes, count)); }

    /// Always whole: DCMTK leaks its buffer when a write falls short. The channel keeps the failure.
    ssize_t write(void *bytes, size_t count) override {
        channel_.write(bytes, count);
        return static_cast<ssize_t>(count);
    }

    void close() override { forget(); }
    void closeTransportConnection() override { forget(); }

    /// The channel waits inside `read`, with its own deadlines.
    OFBool networkDataAvailable(int) override { return OFTrue; }

private:
    /// The socket is the channel's to close.
    void forget() { setSocket(-1); }

    Channel &channel_;
};

/// Hands DCMTK the channel for whatever socket it comes with.
class ChannelLayer final : public DcmTransportLayer {
public:
    ChannelLayer(Channel &channel, std::function<void(int)> connected)
        : channel_(channel), connected_(std::move(connected)) {}

    DcmTransportConnection *createConnection(DcmNativeSocketType socket, OFBool) override {
        connected_(socket);
        return new ChannelConnection(socket, channel_);
    }

private:
    Channel &channel_;
    std::function<void(int)> connected_;
};

}  // namespace huizhen
