#include "channel.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "pdu.h"

namespace huizhen {

namespace {

/// Step in which memory is taken for a PDU that is read ahead: a claimed length alone costs nothing.
constexpr size_t growthByteCount = 16 * 1024;

}  // namespace

Channel::Channel(int socket, int cancellation, const HZTimeouts &timeouts, uint32_t maximumPDU)
    : wire_(std::make_unique<PlainWire>(socket)), cancellation_(cancellation), timeouts_(timeouts), idle_(timeouts.idle),
      maximumPDU_(maximumPDU), spill_(new uint8_t[spillByteCount]), pending_(new uint8_t[pendingByteCount]) {
    const int on = 1;
    // Fails on sockets that are not TCP, which need neither.
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

Channel::~Channel() { close(); }

void Channel::close() {
    if (socket() >= 0) {
        if (!isTorn_) { wire_->part(); }
        (void)::close(socket());
    }
    wire_->setSocket(-1);
    phase_ = Phase::ended;
    fail(HZStatusMisuse);
}

void Channel::enter(Phase phase) {
    phase_ = phase;
    phaseDeadline_ = phase == Phase::established ? Deadline::max() : after(timeouts_.artim);
}

void Channel::replaceSocket(int descriptor) {
    if (descriptor == socket()) { return; }
    (void)::close(socket());
    wire_->setSocket(descriptor);
}

bool Channel::secure(const HZSecurity &security, TLSWire::Side side) {
    auto made = std::make_unique<TLSWire>(socket(), security, side);
    tls_ = made.get();
    wire_ = std::move(made);
    while (true) {
        const Wire::Outcome outcome = tls_->shakeHands();
        if (outcome == Wire::Outcome::moved) { return true; }
        if (!wait(outcome, phaseDeadline_)) { return false; }
    }
}

void Channel::setIdle(int64_t milliseconds) { idle_ = milliseconds < 0 ? timeouts_.idle : milliseconds; }

Channel::Deadline Channel::after(int64_t milliseconds) const {
    return Clock::now() + std::chrono::milliseconds(milliseconds);
}

void Channel::fail(HZStatus status, int systemError) {
    if (hasFailed()) { return; }
    failure_.status = status;
    failure_.systemError = systemError;
}

// MARK: Reading

size_t Channel::read(void *bytes, size_t count) {
    if (hasFailed() || count == 0) { return 0; }
    if (readyOffset_ == ready_.size() && bodyLeft_ == 0 && !beginPDU()) { return 0; }
    if (readyOffset_ < ready_.size()) {
        const size_t part = std::min(count, ready_.size() - readyOffset_);
        std::memcpy(bytes, ready_.data() + readyOffset_, part);
        readyOffset_ += part;
        return part;
    }
    const size_t part = receive(
        static_cast<uint8_t *>(bytes), std::min<size_t>(count, bodyLeft_), pduDeadline_);
    bodyLeft_ -= static_cast<uint32_t>(part);
    return part;
}

bool Channel::beginPDU() {
    while (true) {
        uint8_t head[headByteCount];
        size_t count = 0;
        const Deadline silence = phase_ == Phase::established ? after(idle_) : phaseDeadline_;
        while (count < sizeof head) {
            const size_t part = receive(head + count, sizeof head - count, count == 0 ? silence : pduDeadline_);
            if (part == 0) { return false; }
            if (count == 0) { pduDeadline_ = std::min(after(timeouts_.pdu), phaseDeadline_); }
            count += part;
        }
        const uint8_t type = head[0];
        const uint32_t byteCount = static_cast<uint32_t>(head[2]) << 24 | static_cast<uint32_t>(head[3]) << 16
            | static_cast<uint32_t>(head[4]) << 8 | head[5];
        if (!checkHead(type, byteCount)) { return false; }
        ready_.assign(head, head + sizeof head);
        readyOffset_ = 0;
        if (type != dataPDU) { return takeBody(type, byteCount, pduDeadline_); }
        if (phase_ == Phase::established) {
            bodyLeft_ = byteCount;
            dataByteCount_ = byteCount;
            return true;
        }
        // The peer may still send data before it answers a release (PS3.8 §9.2, AR-6); nobody waits for it.
        if (!skipBody(byteCount, pduDeadline_)) { return false; }
    }
}

bool Channel::checkHead(uint8_t type, uint32_t byteCount) {
    bool isExpected = false;
    bool isSized = byteCount == shortBodyByteCount;
    switch (type) {
    case requestPDU:
        isExpected = phase_ == Phase::awaitRequest;
        isSized = byteCount <= associatePDUByteCountLimit;
        break;
    case acceptPDU:
        isExpected = phase_ == Phase::awaitReply;
        isSized = byteCount <= associatePDUByteCountLimit;
        break;
    case rejectPDU:
        isExpected = phase_ == Phase::awaitReply;
        break;
    case dataPDU:
        isExpected = phase_ == Phase::established || phase_ == Phase::awaitRelease;
        isSized = byteCount >= pdvHeadByteCount && byteCount <= maximumPDU_;
        break;
    case releaseRequestPDU:
        isExpected = phase_ == Phase::established || phase_ == Phase::awaitRelease;
        break;
    case releaseReplyPDU:
        isExpected = phase_ == Phase::awaitRelease;
        break;
    case abortPDU:
        isExpected = true;
        break;
    default:
        violate(unrecognizedPDU);
        return false;
    }
    if (!isExpected) {
        violate(unexpectedPDU);
    } else if (!isSized) {
        violate(invalidParameter);
    }
    return isExpected && isSized;
}

bool Channel::takeBody(uint8_t type, uint32_t byteCount, Deadline deadline) {
    std::vector<uint8_t> body;
    while (body.size() < byteCount) {
        const size_t offset = body.size();
        body.resize(std::min<size_t>(byteCount, offset + growthByteCount));
        size_t filled = offset;
        while (filled < body.size()) {
            const size_t part = receive(body.data() + filled, body.size() - filled, deadline);
            if (part == 0) { return false; }
            filled += part;
        }
    }
    switch (type) {
    case requestPDU:
        return takeAssociate(AssociateKind::request, body);
    case acceptPDU:
        return takeAssociate(AssociateKind::accept, body);
    case rejectPDU:
        fail(HZStatusRejected);
        failure_.result = body[1];
        failure_.source = body[2];
        failure_.reason = body[3];
        return false;
    case abortPDU:
        fail(HZStatusAborted);
        failure_.source = body[2];
        failure_.reason = body[3];
        return false;
    default:
        ready_.insert(ready_.end(), body.begin(), body.end());
        return true;
    }
}

bool Channel::takeAssociate(AssociateKind kind, std::vector<uint8_t> &body) {
    const bool isWellFormed = parseAssociate(body.data(), body.size(), kind, associate_);
    if (kind == AssociateKind::request) {
        // There may be a passcode in it.
        OPENSSL_cleanse(body.data(), body.size());
        OPENSSL_cleanse(spill_.get(), spillOffset_);
    }
    if (!isWellFormed) {
        violate(invalidParameter);
        return false;
    }
    if (kind == AssociateKind::request && (associate_.protocolVersion & 1) == 0) {
        constexpr uint8_t protocolVersionNotSupported = 2;
        sendReject(permanentRejection, rejectingACSE, protocolVersionNotSupported);
        fail(HZStatusProtocolViolation);
        return false;
    }
    ready_ = encodeAssociate(associate_, kind);
    return true;
}

bool Channel::skipBody(uint32_t byteCount, Deadline deadline) {
    uint8_t discarded[4096];
    ready_.clear();
    while (byteCount > 0) {
        const size_t part = receive(discarded, std::min<size_t>(byteCount, sizeof discarded), deadline);
        if (part == 0) { return false; }
        byteCount -= static_cast<uint32_t>(part);
    }
    return true;
}

size_t Channel::receive(uint8_t *bytes, size_t count, Deadline deadline) {
    if (spillOffset_ < spillEnd_) {
        const size_t part = std::min(count, spillEnd_ - spillOffset_);
        std::memcpy(bytes, spill_.get() + spillOffset_, part);
        spillOffset_ += part;
        return part;
    }
    while (true) {
        Wire::Arrival arrival;
        const Wire::Outcome outcome = wire_->receive({bytes, count}, {spill_.get(), spillByteCount}, arrival);
        if (outcome == Wire::Outcome::moved) {
            spillOffset_ = 0;
            spillEnd_ = arrival.inSecond;
            return arrival.inFirst > 0 ? arrival.inFirst : receive(bytes, count, deadline);
        }
        if (outcome == Wire::Outcome::wantsRead) {
            if (!flush()) { return 0; }
            // A peer with Nagle's algorithm on holds its next bytes back until these are acknowledged; the kernel
            // leaves this mode by itself, so it is armed before every wait.
            const int on = 1;
            (void)setsockopt(socket(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
        }
        if (!wait(outcome, deadline)) { return 0; }
    }
}

bool Channel::hasIncoming() {
    if (hasFailed() || readyOffset_ < ready_.size() || bodyLeft_ > 0 || spillOffset_ < spillEnd_) { return true; }
    if (!wire_->isOpaque()) {
        pollfd entry{socket(), POLLIN, 0};
        return poll(&entry, 1, 0) > 0;
    }
    // A readable socket may hold half a record, or one that carries no data.
    Wire::Arrival arrival;
    const Wire::Outcome outcome = wire_->receive({nullptr, 0}, {spill_.get(), spillByteCount}, arrival);
    if (outcome == Wire::Outcome::wantsRead || outcome == Wire::Outcome::wantsWrite) { return false; }
    spillOffset_ = 0;
    spillEnd_ = arrival.inSecond;
    noteEnd(outcome);
    return true;
}

void Channel::noteEnd(Wire::Outcome outcome) {
    if (outcome == Wire::Outcome::ended) { fail(HZStatusConnectionLost); }
    if (outcome != Wire::Outcome::broken || hasFailed()) { return; }
    fail(wire_->status(), wire_->systemError());
    failure_.security = wire_->reason();
}

bool Channel::wait(Wire::Outcome outcome, Deadline deadline) {
    switch (outcome) {
    case Wire::Outcome::wantsRead: return wait(POLLIN, deadline);
    case Wire::Outcome::wantsWrite: return wait(POLLOUT, deadline);
    default: noteEnd(outcome); return false;
    }
}

bool Channel::wait(short events, Deadline deadline) {
    pollfd entries[2] = {{socket(), events, 0}, {cancellation_, POLLIN, 0}};
    while (true) {
        int timeout = -1;
        if (deadline != Deadline::max()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
            timeout = static_cast<int>(std::clamp<int64_t>(left, 0, 60 * 60 * 1000));
        }
        const int ready = poll(entries, 2, timeout);
        if (ready < 0 && errno != EINTR) {
            fail(HZStatusConnectionLost, errno);
            return false;
        }
        if (ready > 0) {
            if (entries[1].revents != 0) {
                fail(HZStatusCancelled);
                return false;
            }
            return true;
        }
        if (Clock::now() >= deadline) {
            fail(HZStatusTimedOut);
            return false;
        }
    }
}

}  // namespace huizhen
