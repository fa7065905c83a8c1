#include "wire.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

namespace huizhen {

namespace {

bool isFull(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

Wire::Outcome PlainWire::receive(Piece first, Piece second, Arrival &arrival) {
    iovec parts[2] = {{first.bytes, first.count}, {second.bytes, second.count}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    while (true) {
        const ssize_t received = recvmsg(socket(), &message, MSG_DONTWAIT);
        if (received > 0) {
            const size_t total = static_cast<size_t>(received);
            arrival.inFirst = std::min(total, first.count);
            arrival.inSecond = total - arrival.inFirst;
            return Outcome::moved;
        }
        if (received == 0) { return Outcome::ended; }
        if (isFull(errno)) { return Outcome::wantsRead; }
        if (errno != EINTR) { return broke(HZStatusConnectionLost, errno); }
    }
}

Wire::Outcome PlainWire::send(Piece first, Piece second, size_t &count) {
    iovec parts[2] = {{first.bytes, first.count}, {second.bytes, second.count}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = second.count > 0 ? 2 : 1;
    while (true) {
        const ssize_t written = sendmsg(socket(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (written >= 0) {
            count = static_cast<size_t>(written);
            return Outcome::moved;
        }
        if (isFull(errno)) { return Outcome::wantsWrite; }
        if (errno != EINTR) { return broke(HZStatusConnectionLost, errno); }
    }
}

}  // namespace huizhen
