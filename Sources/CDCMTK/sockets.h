#pragma once

#include <cstdint>
#include <string>

namespace huizhen {

/// The numeric address at the other end, "" if there is none. IPv4 inside IPv6 is given as IPv4.
std::string peerAddress(int socket);

/// Listens on a free port of 127.0.0.1 while it lives and accepts nothing.
class LoopbackListener {
public:
    LoopbackListener();
    ~LoopbackListener();
    LoopbackListener(const LoopbackListener &) = delete;
    LoopbackListener &operator=(const LoopbackListener &) = delete;

    /// 0 if it could not be opened.
    uint16_t port() const { return port_; }
    int error() const { return error_; }

private:
    int socket_ = -1;
    uint16_t port_ = 0;
    int error_ = 0;
};

}  // namespace huizhen
