// The channel's way out: gathering, sending, parting.
#include <openssl/crypto.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "channel.h"
#include "pdu.h"

namespace huizhen {

namespace {

/// Payloads from here on are sent from where they lie.
constexpr size_t directByteCount = 16 * 1024;
/// How long a last PDU may take to leave, and the peer to close after it.
constexpr auto partingTime = std::chrono::seconds(1);
/// Bytes thrown away while waiting for the peer to close.
constexpr size_t lingerByteCountLimit = 8 * 1024 * 1024;

}  // namespace

void Channel::write(const void *bytes, size_t count) {
    if (hasFailed() || isTorn_) { return; }
    const auto *next = static_cast<const uint8_t *>(bytes);
    if (!userInformation_.empty()) { return writeAssociate(next, count); }
    if (count < directByteCount && pendingCount_ + count <= pendingByteCount) {
        std::memcpy(pending_.get() + pendingCount_, next, count);
        pendingCount_ += count;
        return;
    }
    (void)send(next, count, sendingDeadline());
}

/// Sends an A-ASSOCIATE PDU of DCMTK's with the sub-items it does not know of. Nothing of it stays in a buffer: there
/// may be a passcode in it.
void Channel::writeAssociate(const uint8_t *bytes, size_t count) {
    std::vector<uint8_t> pdu;
    pdu.reserve(count + userInformation_.size());
    pdu.assign(bytes, bytes + count);
    if (huizhen::addUserInformation(pdu, userInformation_)) {
        (void)send(pdu.data(), pdu.size(), sendingDeadline());
    } else {
        fail(HZStatusMisuse);
    }
    OPENSSL_cleanse(pdu.data(), pdu.size());
    OPENSSL_cleanse(userInformation_.data(), userInformation_.size());
    userInformation_.clear();
}

Channel::Deadline Channel::sendingDeadline() const { return std::min(after(timeouts_.pdu), phaseDeadline_); }

bool Channel::flush() {
    if (hasFailed()) { return false; }
    if (pendingCount_ == 0) { return true; }
    return send(nullptr, 0, sendingDeadline());
}

/// Sends what has gathered and then `bytes`.
bool Channel::send(const uint8_t *bytes, size_t count, Deadline deadline) {
    size_t sent = 0;
    const size_t total = pendingCount_ + count;
    while (sent < total) {
        const size_t fromPending = std::min(sent, pendingCount_);
        const size_t fromBytes = sent - fromPending;
        size_t written = 0;
        const Wire::Outcome outcome = wire_->send(
            {pending_.get() + fromPending, pendingCount_ - fromPending},
            {const_cast<uint8_t *>(bytes) + fromBytes, count - fromBytes}, written);
        if (outcome == Wire::Outcome::moved) {
            sent += written;
            continue;
        }
        if (!wait(outcome, deadline)) {
            isTorn_ = sent > 0 || count > 0;
            pendingCount_ = isTorn_ ? 0 : pendingCount_;
            return false;
        }
    }
    pendingCount_ = 0;
    return true;
}

// MARK: Parting

void Channel::violate(uint8_t reason) {
    if (hasFailed()) { return; }
    fail(HZStatusProtocolViolation);
    sendAbort(abortingProvider, reason);
}

void Channel::sendAbort(uint8_t source, uint8_t reason) {
    if (phase_ == Phase::ended || isTorn_ || pendingCount_ + 10 > pendingByteCount) { return; }
    const uint8_t pdu[] = {abortPDU, 0, 0, 0, 0, 4, 0, 0, source, reason};
    std::memcpy(pending_.get() + pendingCount_, pdu, sizeof pdu);
    pendingCount_ += sizeof pdu;
    phase_ = Phase::ended;
    mayLinger_ = true;
    // One step without cancellation: this is what a cancelled association still has to say.
    cancellation_ = -1;
    (void)send(nullptr, 0, Clock::now() + partingTime);
}

void Channel::abortIfTimedOut() {
    const bool isDue = failure_.status == HZStatusTimedOut && phase_ == Phase::established;
    if (isDue) { sendAbort(abortingProvider, unspecified); }
}

bool Channel::part() {
    phase_ = Phase::ended;
    mayLinger_ = true;
    return flush();
}

void Channel::sendReject(uint8_t result, uint8_t source, uint8_t reason) {
    if (hasFailed()) { return; }
    const uint8_t pdu[] = {rejectPDU, 0, 0, 0, 0, 4, 0, result, source, reason};
    write(pdu, sizeof pdu);
    (void)part();
}

void Channel::lingerAndClose() {
    linger();
    close();
}

void Channel::linger() {
    if (!mayLinger_ || isTorn_) { return; }
    mayLinger_ = false;
    wire_->part();
    (void)shutdown(socket(), SHUT_WR);
    const Deadline deadline = Clock::now() + partingTime;
    size_t discarded = 0;
    while (discarded < lingerByteCountLimit) {
        const ssize_t received = recv(socket(), spill_.get(), spillByteCount, MSG_DONTWAIT);
        if (received > 0) {
            discarded += static_cast<size_t>(received);
        } else if (received == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            return;
        } else {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
            pollfd entry{socket(), POLLIN, 0};
            if (left <= 0 || poll(&entry, 1, static_cast<int>(left)) == 0) { return; }
        }
    }
}

}  // namespace huizhen
