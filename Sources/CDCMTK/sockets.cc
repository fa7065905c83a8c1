#include "sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <thread>

#include "CDCMTK.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t listenerCountLimit = 16;
/// Pause when descriptors or memory have run out: the waiting connection stays readable.
constexpr auto exhaustionPause = std::chrono::milliseconds(50);

HZFailure systemFailure(int error) {
    HZFailure failure{};
    failure.status = HZStatusSystemFailure;
    failure.systemError = error;
    return failure;
}

HZFailure ended(HZStatus status) {
    HZFailure failure{};
    failure.status = status;
    return failure;
}

struct AddressList {
    addrinfo *first = nullptr;
    AddressList() = default;
    AddressList(const AddressList &) = delete;
    AddressList &operator=(const AddressList &) = delete;
    ~AddressList() {
        if (first != nullptr) { freeaddrinfo(first); }
    }
};

int resolve(const char *host, uint16_t port, int flags, AddressList &list) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    char service[8];
    (void)std::snprintf(service, sizeof service, "%u", static_cast<unsigned>(port));
    return getaddrinfo(host, service, &hints, &list.first);
}

uint16_t portOf(const sockaddr_storage &address) {
    if (address.ss_family == AF_INET) {
        return ntohs(reinterpret_cast<const sockaddr_in *>(&address)->sin_port);
    }
    if (address.ss_family == AF_INET6) {
        return ntohs(reinterpret_cast<const sockaddr_in6 *>(&address)->sin6_port);
    }
    return 0;
}

std::string numericAddress(const sockaddr_storage &address) {
    char text[HZ_ADDRESS_BYTE_COUNT] = "";
    if (address.ss_family == AF_INET6) {
        const auto &six = *reinterpret_cast<const sockaddr_in6 *>(&address);
        if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
            return inet_ntop(AF_INET, six.sin6_addr.s6_addr + 12, text, sizeof text) == nullptr ? "" : text;
        }
    } else if (address.ss_family != AF_INET) {
        return "";
    }
    const socklen_t length = address.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    const auto *general = reinterpret_cast<const sockaddr *>(&address);
    return getnameinfo(general, length, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0 ? text : "";
}

int64_t millisecondsUntil(Clock::time_point deadline) {
    return std::max<int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count());
}

/// OK once `events` are there.
HZFailure wait(pollfd *entries, size_t count, int64_t timeout) {
    const auto deadline = Clock::now() + std::chrono::milliseconds(std::max<int64_t>(timeout, 0));
    while (true) {
        const int64_t left = timeout < 0 ? -1 : std::min<int64_t>(millisecondsUntil(deadline), 60 * 60 * 1000);
        const int ready = poll(entries, count, static_cast<int>(left));
        if (ready < 0 && errno != EINTR) { return systemFailure(errno); }
        if (ready > 0) { return ended(HZStatusOK); }
        if (timeout >= 0 && Clock::now() >= deadline) { return ended(HZStatusTimedOut); }
    }
}

/// Connects to one address within `timeout` milliseconds.
HZFailure connectOne(const addrinfo &address, int cancellation, int64_t timeout, int *result) {
    const int descriptor
        = socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol);
    if (descriptor < 0) { return systemFailure(errno); }
    HZFailure outcome = ended(HZStatusOK);
    if (connect(descriptor, address.ai_addr, address.ai_addrlen) != 0) {
        if (errno != EINPROGRESS) {
            outcome = systemFailure(errno);
        } else {
            pollfd entries[2] = {{descriptor, POLLOUT, 0}, {cancellation, POLLIN, 0}};
            outcome = wait(entries, 2, timeout);
            if (entries[1].revents != 0) { outcome = ended(HZStatusCancelled); }
            int error = 0;
            socklen_t length = sizeof error;
            if (outcome.status == HZStatusOK
                && getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error != 0) {
                outcome = systemFailure(error);
            }
        }
    }
    if (outcome.status == HZStatusOK) {
        (void)fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
        *result = descriptor;
    } else {
        (void)close(descriptor);
    }
    return outcome;
}

/// A name that is looked up on a thread of its own: the resolver knows no deadline and cannot be called off.
struct Resolution {
    const std::string host;
    const uint16_t port;
    AddressList list;
    /// Readable once `list` is there or there will be none.
    const int done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    Resolution(const char *name, uint16_t number) : host(name), port(number) {}
    ~Resolution() {
        if (done >= 0) { (void)close(done); }
    }
    Resolution(const Resolution &) = delete;
    Resolution &operator=(const Resolution &) = delete;

    static constexpr int limit = 64;
    /// Threads that have not come back, also from names that nobody waits for any more.
    static std::atomic<int> underWay;
};

std::atomic<int> Resolution::underWay{0};

/// Looks a name up within `timeout` milliseconds.
HZFailure resolve(const std::shared_ptr<Resolution> &resolution, int cancellation, int64_t timeout) {
    if (resolve(resolution->host.c_str(), resolution->port, AI_NUMERICHOST, resolution->list) == 0) {
        return ended(HZStatusOK);
    }
    if (resolution->done < 0) { return systemFailure(errno); }
    if (Resolution::underWay.fetch_add(1) >= Resolution::limit) {
        Resolution::underWay.fetch_sub(1);
        return systemFailure(EAGAIN);
    }
    try {
        std::thread([resolution] {
            (void)resolve(resolution->host.c_str(), resolution->port, AI_ADDRCONFIG, resolution->list);
            Resolution::underWay.fetch_sub(1);
            (void)eventfd_write(resolution->done, 1);
        }).detach();
    } catch (const std::system_error &error) {
        Resolution::underWay.fetch_sub(1);
        return systemFailure(error.code().value());
    }
    pollfd entries[2] = {{resolution->done, POLLIN, 0}, {cancellation, POLLIN, 0}};
    const HZFailure waited = wait(entries, 2, timeout);
    if (waited.status != HZStatusOK) { return waited; }
    if (entries[1].revents != 0) { return ended(HZStatusCancelled); }
    return ended(resolution->list.first == nullptr ? HZStatusNameNotResolved : HZStatusOK);
}

bool isExhaustion(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

namespace huizhen {

std::string peerAddress(int socket) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (getpeername(socket, reinterpret_cast<sockaddr *>(&address), &length) != 0) { return ""; }
    return numericAddress(address);
}

LoopbackListener::LoopbackListener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto *general = reinterpret_cast<sockaddr *>(&address);
    if (socket_ < 0 || bind(socket_, general, length) != 0 || listen(socket_, 8) != 0
        || getsockname(socket_, general, &length) != 0) {
        error_ = errno;
        return;
    }
    port_ = ntohs(address.sin_port);
}

LoopbackListener::~LoopbackListener() {
    if (socket_ >= 0) { (void)close(socket_); }
}

}  // namespace huizhen

HZFailure hz_socket_listen(const char *address, uint16_t port, int backlog, int *socket, uint16_t *boundPort) {
    AddressList list;
    if (resolve(address, port, AI_PASSIVE | AI_NUMERICHOST, list) != 0) { return ended(HZStatusNameNotResolved); }
    const addrinfo &first = *list.first;
    const int descriptor = ::socket(first.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) { return systemFailure(errno); }
    const int on = 1;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (first.ai_family == AF_INET6) { (void)setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on); }
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    if (bind(descriptor, first.ai_addr, first.ai_addrlen) != 0 || listen(descriptor, backlog) != 0
        || getsockname(descriptor, reinterpret_cast<sockaddr *>(&bound), &length) != 0) {
        const int error = errno;
        (void)close(descriptor);
        return systemFailure(error);
    }
    *socket = descriptor;
    *boundPort = portOf(bound);
    return ended(HZStatusOK);
}

HZFailure hz_socket_accept(
    const int *listeners, size_t count, int cancellation, int64_t timeout, int *socket, char *address,
    uint16_t *port) {
    if (count == 0 || count > listenerCountLimit) { return ended(HZStatusMisuse); }
    pollfd entries[listenerCountLimit + 1];
    const auto deadline = Clock::now() + std::chrono::milliseconds(std::max<int64_t>(timeout, 0));
    while (true) {
        for (size_t i = 0; i < count; ++i) { entries[i] = {listeners[i], POLLIN, 0}; }
        entries[count] = {cancellation, POLLIN, 0};
        const HZFailure waited = wait(entries, count + 1, timeout < 0 ? -1 : millisecondsUntil(deadline));
        if (waited.status != HZStatusOK) { return waited; }
        if (entries[count].revents != 0) { return ended(HZStatusCancelled); }
        for (size_t i = 0; i < count; ++i) {
            if (entries[i].revents == 0) { continue; }
            sockaddr_storage peer{};
            socklen_t length = sizeof peer;
            const int accepted
                = accept4(listeners[i], reinterpret_cast<sockaddr *>(&peer), &length, SOCK_CLOEXEC);
            if (accepted >= 0) {
                (void)std::snprintf(address, HZ_ADDRESS_BYTE_COUNT, "%s", numericAddress(peer).c_str());
                *port = portOf(peer);
                *socket = accepted;
                return ended(HZStatusOK);
            }
            if (isExhaustion(errno)) {
                std::this_thread::sleep_for(exhaustionPause);
            } else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) {
                return systemFailure(errno);
            }
            // Anything else concerns one connection that has gone again.
        }
        if (timeout >= 0 && Clock::now() >= deadline) { return ended(HZStatusTimedOut); }
    }
}

HZFailure hz_socket_connect(const char *host, uint16_t port, int cancellation, int64_t timeout, int *socket) {
    const auto deadline = Clock::now() + std::chrono::milliseconds(timeout);
    const auto resolution = std::make_shared<Resolution>(host, port);
    const HZFailure resolved = resolve(resolution, cancellation, timeout);
    if (resolved.status != HZStatusOK) { return resolved; }
    size_t left = 0;
    for (const addrinfo *item = resolution->list.first; item != nullptr; item = item->ai_next) { ++left; }
    HZFailure outcome = ended(HZStatusNameNotResolved);
    for (const addrinfo *item = resolution->list.first; item != nullptr; item = item->ai_next, --left) {
        const int64_t share = millisecondsUntil(deadline) / static_cast<int64_t>(left);
        outcome = connectOne(*item, cancellation, share, socket);
        if (outcome.status == HZStatusOK || outcome.status == HZStatusCancelled) { return outcome; }
    }
    return outcome;
}

int hz_cancellation_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void hz_cancellation_signal(int descriptor) { (void)eventfd_write(descriptor, 1); }

void hz_descriptor_close(int descriptor) { (void)close(descriptor); }
